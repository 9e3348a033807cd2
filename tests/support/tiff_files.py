"""Writes TIFFs of every kind by hand, so that a test knows what is in them."""

import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 48, 40
_TILE_WIDTH, _TILE_HEIGHT, _STRIP_HEIGHT = 32, 16, 16
_TYPES = {3: "H", 4: "I"}


def drawing() -> NDArray[np.uint8]:
    """A picture in which no channel, row or column is like another: (rows, columns, 3)."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    board = (x // 8 + y // 8) % 2 * 180 + 30
    return np.stack([x * 255 // (WIDTH - 1), y * 255 // (HEIGHT - 1), board], axis=2).astype(np.uint8)


def tiff(
    samples: NDArray[Any],
    photometric: int,
    *,
    bits: int | None = None,
    order: str = "<",
    is_planar: bool = False,
    is_tiled: bool = False,
    compression: int = 1,
    predictor: int = 1,
    fill_order: int = 1,
    tags: dict[int, tuple[int, ...]] | None = None,
) -> bytes:
    """Write a TIFF.

    Args:
        samples: (HEIGHT, WIDTH, samples).
        photometric: Colour space, as the tag has it.
        bits: Of each sample, if not those of its dtype.
        order: "<" or ">".
        compression: 1, 8 (deflate) or 32773 (PackBits).
        tags: Others, of two bytes each.
    """
    bits = bits or samples.dtype.itemsize * 8
    planes = [samples[..., i : i + 1] for i in range(samples.shape[2])] if is_planar else [samples]
    packed = [_pack(block, bits, order, predictor) for plane in planes for block in _blocks(plane, is_tiled)]
    bodies = [_reverse(_compress(block, compression), fill_order) for block in packed]
    offsets = tuple(8 + sum(len(body) for body in bodies[:index]) for index in range(len(bodies)))
    counts = tuple(len(body) for body in bodies)
    directory = {256: (WIDTH,), 257: (HEIGHT,), 258: (bits,) * samples.shape[2], 259: (compression,)}
    directory |= {262: (photometric,), 266: (fill_order,), 277: (samples.shape[2],), 284: (1 + is_planar,)}
    directory |= {317: (predictor,), 339: ({"u": 1, "i": 2, "f": 3}[samples.dtype.kind],) * samples.shape[2]}
    places = {322: (_TILE_WIDTH,), 323: (_TILE_HEIGHT,), 324: offsets, 325: counts}
    directory |= places if is_tiled else {273: offsets, 278: (_STRIP_HEIGHT,), 279: counts}
    body = b"".join(bodies)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8 + len(body))
    return head + body + _directory(directory | (tags or {}), order, 8 + len(body))


def _blocks(plane: NDArray[Any], is_tiled: bool) -> list[NDArray[Any]]:
    if not is_tiled:
        return [plane[y : y + _STRIP_HEIGHT] for y in range(0, HEIGHT, _STRIP_HEIGHT)]
    padding = ((0, -HEIGHT % _TILE_HEIGHT), (0, -WIDTH % _TILE_WIDTH), (0, 0))
    padded = np.pad(plane, padding)
    return [
        padded[y : y + _TILE_HEIGHT, x : x + _TILE_WIDTH]
        for y in range(0, HEIGHT, _TILE_HEIGHT)
        for x in range(0, WIDTH, _TILE_WIDTH)
    ]


def _pack(block: NDArray[Any], bits: int, order: str, predictor: int) -> bytes:
    if bits not in (8, 16, 32, 64):
        numbers = block.reshape(len(block), -1, 1).astype(np.uint32)
        return np.packbits((numbers >> np.arange(bits - 1, -1, -1) & 1).reshape(len(block), -1), axis=1).tobytes()
    if predictor == 3:
        return b"".join(_float_differences(row) for row in block)
    if predictor == 2:
        block = np.concatenate((block[:, :1], np.diff(block, axis=1)), axis=1)
    return block.astype(block.dtype.newbyteorder(order)).tobytes()  # type: ignore[arg-type]


def _float_differences(row: NDArray[Any]) -> bytes:
    by_byte = row.astype(row.dtype.newbyteorder(">")).view(np.uint8).reshape(-1, row.dtype.itemsize)
    planes = by_byte.T.reshape(-1, row.shape[1])
    return np.concatenate((planes[:1], np.diff(planes, axis=0))).tobytes()


def _compress(data: bytes, compression: int) -> bytes:
    if compression == 32773:
        return b"".join(bytes((len(data[at : at + 128]) - 1,)) + data[at : at + 128] for at in range(0, len(data), 128))
    return zlib.compress(data) if compression == 8 else data


def _reverse(data: bytes, fill_order: int) -> bytes:
    bits = np.unpackbits(np.frombuffer(data, np.uint8).reshape(-1, 1), axis=1)
    return np.packbits(bits[:, ::-1], axis=1).tobytes() if fill_order == 2 else data


def _directory(tags: dict[int, tuple[int, ...]], order: str, at: int) -> bytes:
    entries, values = b"", b""
    for tag, numbers in sorted(tags.items()):
        kind = 4 if tag in (273, 279, 324, 325, 330) else 3
        packed = struct.pack(f"{order}{len(numbers)}{_TYPES[kind]}", *numbers)
        place = at + 2 + 12 * len(tags) + 4 + len(values)
        entries += struct.pack(order + "HHI", tag, kind, len(numbers))
        entries += packed.ljust(4, b"\0") if len(packed) <= 4 else struct.pack(order + "I", place)
        values += packed if len(packed) > 4 else b""
    return struct.pack(order + "H", len(tags)) + entries + bytes(4) + values
