"""Loading a TIFF: by Pillow where its samples have up to 8 bits, else sample by sample.

Pillow knows few kinds of samples with more bits, and takes some of them for others: planes of 16 bits become stripes,
white that is zero becomes black, compressed big-endian numbers lose their byte order. So of these it decodes the bytes
alone, as a grey picture whose rows are the rows of bytes; what they mean is decided here.

    tags ─► layout ─► picture of bytes (decompressed by libtiff) ─► predictor, bits ─► samples ─► range ─► 8 bits
"""

import struct
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from core.base.errors import ErrorCode, ImageError
from core.decoding.limits import check_opened, check_pixels
from core.decoding.loading.picture import ENOUGH, Picture
from core.decoding.loading.rows import load_rows
from core.decoding.opening import open_image
from core.decoding.orientation import UPRIGHT
from core.decoding.ranges import Range, to_8_bits
from core.decoding.structure.tiff import FLOATING, SIGNED, UNSIGNED, TiffLayout, read_layout

Samples = NDArray[Any]

_LOSSLESS = frozenset((1, 5, 8, 32773, 32946))  # compressions that give the bytes back as they were
_READ_BY_PILLOW = frozenset((1, 2, 3, 4, 5, 6, 7, 8, 32773, 32946))
_COLOURS = {0: 1, 1: 1, 2: 3, 5: 4}  # samples of each colour space that are colours
_MODES = {1: "L", 3: "RGB", 4: "CMYK"}
_KINDS = {UNSIGNED: "u", SIGNED: "i", FLOATING: "f", 4: "u"}
_BYTES_PER_PIXEL = 8
_MAX_SAMPLES = 64
_ROWS_AT_ONCE = 64


def load_tiff(data: bytes, max_pixels: int) -> Picture:
    """Load the first picture of a TIFF.

    Raises:
        ImageError: `unsupported_format` with the name of its kind, `too_many_pixels` or `truncated`.
        Exception: Whatever Pillow raises for a broken file.
    """
    layout = read_layout(data)
    if layout is None:
        raise ImageError(ErrorCode.TRUNCATED)
    if layout.compression not in _READ_BY_PILLOW:
        raise ImageError(ErrorCode.UNSUPPORTED_FORMAT, layout.name)
    n_colours = _COLOURS.get(layout.photometric, 0)
    if _is_usual(layout):
        with suppress(UnidentifiedImageError):
            image = open_image(data)
            check_opened(image, max_pixels)
            return load_rows(image, data)
    if not _is_readable(layout, n_colours):
        raise ImageError(ErrorCode.UNSUPPORTED_FORMAT, layout.name)
    return _load_samples(data, layout, n_colours, max_pixels)


def _is_usual(layout: TiffLayout) -> bool:
    """Whether Pillow reads such a file, and reads it right."""
    if max(layout.bits) > 8 or layout.sample_format not in (UNSIGNED, 4) or layout.is_subsampled:
        return False
    return layout.compression not in _LOSSLESS or not (
        layout.is_planar or (layout.fill_order == 2 and layout.bits[0] == 8)
    )


def _load_samples(data: bytes, layout: TiffLayout, n_colours: int, max_pixels: int) -> Picture:
    """Load what Pillow has no mode for."""
    check_pixels(layout.width, layout.height, max_pixels)
    _check_bytes(data, layout, max_pixels)
    n_planes = layout.n_samples if layout.is_planar else 1
    kept = range(n_colours + _has_alpha(layout, n_colours))
    if layout.is_planar:
        pictures = [_load_bytes(data, layout, plane, n_planes) for plane in kept]
        samples = np.concatenate([_unpack(picture.image, layout, 1) for picture in pictures], axis=2)
    else:
        pictures = [_load_bytes(data, layout, 0, 1)]
        samples = _unpack(pictures[0].image, layout, layout.n_samples)[..., : len(kept)]
    image = _to_image(samples, layout, n_colours)
    warning = next((picture.warning for picture in pictures if picture.warning), None)
    image.info["icc_profile"] = layout.profile
    turn = UPRIGHT.get(layout.orientation)
    image = image if turn is None else image.transpose(turn)
    return Picture(image, *image.size, warning)


def _is_readable(layout: TiffLayout, n_colours: int) -> bool:
    bits = layout.bits[0]
    is_known = layout.sample_format in _KINDS and (layout.sample_format != FLOATING or bits in (16, 32, 64))
    is_whole = bits in (8, 16, 32, 64)
    return (
        0 < n_colours <= layout.n_samples <= _MAX_SAMPLES
        and len(layout.bits) in (1, layout.n_samples)
        and len(set(layout.bits)) == 1
        and is_known
        and (is_whole or (bits < 32 and layout.predictor == 1 and layout.sample_format == UNSIGNED))
        and layout.compression in _LOSSLESS
        and layout.predictor in ((1, 3) if layout.sample_format == FLOATING else (1, 2))
        and bool(layout.offsets)
    )


def _has_alpha(layout: TiffLayout, n_colours: int) -> bool:
    if layout.n_samples <= n_colours or layout.photometric == 5:
        return False
    if not layout.extra:  # writers that forget to say it mean alpha
        return layout.photometric == 2 and layout.n_samples == 4
    return layout.extra[0] in (1, 2)


def _row_bytes(layout: TiffLayout) -> int:
    """Bytes of one row of a strip or tile."""
    n_samples = 1 if layout.is_planar else layout.n_samples
    return (layout.block[0] * n_samples * layout.bits[0] + 7) // 8


def _blocks_across(layout: TiffLayout) -> int:
    return -(-layout.width // layout.block[0])


def _check_bytes(data: bytes, layout: TiffLayout, max_pixels: int) -> None:
    """Refuse what takes more memory than the largest picture of usual samples, and what cannot be in the file."""
    if layout.block[0] < 1 or layout.block[1] < 1:
        raise ImageError(ErrorCode.TRUNCATED)
    n_planes = layout.n_samples if layout.is_planar else 1
    bytes_across = _row_bytes(layout) * _blocks_across(layout) * n_planes
    if bytes_across * max(layout.height, layout.block[1]) > max_pixels * _BYTES_PER_PIXEL:
        detail = f"{layout.name}: {layout.width:,} x {layout.height:,} pixels"
        raise ImageError(ErrorCode.TOO_MANY_PIXELS, detail)
    if layout.compression == 1 and len(data) < ENOUGH * bytes_across * layout.height:
        raise ImageError(ErrorCode.TRUNCATED)


def _load_bytes(data: bytes, layout: TiffLayout, plane: int, n_planes: int) -> Picture:
    """Decompress one plane as a grey picture of bytes."""
    n_blocks = _blocks_across(layout) * -(-layout.height // layout.block[1])
    if len(layout.offsets) < n_blocks * n_planes:
        raise ImageError(ErrorCode.TRUNCATED)
    blocks = slice(plane * n_blocks, (plane + 1) * n_blocks)
    directory = _directory(layout, layout.offsets[blocks], layout.counts[blocks], len(data))
    file = b"II*\0" + struct.pack("<I", len(data)) + data[8:] + directory
    picture = load_rows(open_image(file), file)
    if picture.warning and layout.is_tiled:
        raise ImageError(ErrorCode.TRUNCATED)
    return picture


def _directory(layout: TiffLayout, offsets: tuple[int, ...], counts: tuple[int, ...], at: int) -> bytes:
    """A TIFF's directory for a picture of bytes in the same strips, to be placed at an offset; tiles lie below each
    other in it."""
    tags: dict[int, tuple[int, ...]] = {
        256: (_row_bytes(layout),),
        257: (len(offsets) * layout.block[1] if layout.is_tiled else layout.height,),
        258: (8,),
        259: (layout.compression,),
        262: (1,),
        266: (layout.fill_order,),
        273: offsets,
        277: (1,),
        278: (layout.block[1],),
        279: counts,
    }
    entries, values = b"", b""
    filled = {tag: numbers for tag, numbers in tags.items() if numbers}
    behind = at + 2 + 12 * len(filled) + 4
    for tag, numbers in filled.items():
        packed = struct.pack(f"<{len(numbers)}I", *numbers)
        place = packed if len(packed) == 4 else struct.pack("<I", behind + len(values))
        values += packed if len(packed) > 4 else b""
        entries += struct.pack("<HHI", tag, 4, len(numbers)) + place
    return struct.pack("<H", len(filled)) + entries + bytes(4) + values


def _unpack(image: Image.Image, layout: TiffLayout, n_samples: int) -> Samples:
    """From rows of bytes to samples.

    Returns:
        (rows, columns, samples) in the dtype of the file.
    """
    across, (width, height) = _blocks_across(layout), layout.block
    numbers = _to_numbers(np.asarray(image), layout, n_samples)
    if not layout.is_tiled:
        return numbers.reshape(len(numbers), width, n_samples)
    tiles = numbers.reshape(-1, across, height, width, n_samples).swapaxes(1, 2)
    return tiles.reshape(-1, across * width, n_samples)[: layout.height, : layout.width]


def _to_numbers(rows: NDArray[np.uint8], layout: TiffLayout, n_samples: int) -> Samples:
    bits = layout.bits[0]
    n_numbers = layout.block[0] * n_samples
    if bits not in (8, 16, 32, 64):
        return _split_bits(rows, bits, n_numbers)
    dtype = np.dtype(f"{layout.order}{_KINDS[layout.sample_format]}{bits // 8}")
    if layout.predictor == 3:
        added = np.cumsum(rows.reshape(len(rows), -1, n_samples), axis=1, dtype=np.uint8)
        planes = added.reshape(len(rows), bits // 8, n_numbers)  # the highest bytes of all numbers come first
        return np.ascontiguousarray(planes.swapaxes(1, 2)).view(dtype.newbyteorder(">"))[..., 0]
    numbers = rows.view(dtype)
    if layout.predictor == 2:
        differences = numbers.reshape(len(rows), -1, n_samples)
        return np.cumsum(differences, axis=1, dtype=dtype.newbyteorder("=")).reshape(len(rows), n_numbers)
    return numbers.astype(dtype.newbyteorder("="), copy=False)


def _split_bits(rows: NDArray[np.uint8], bits: int, n_numbers: int) -> Samples:
    """Numbers that do not fill bytes, the highest bit first."""
    numbers = np.empty((len(rows), n_numbers), np.uint16 if bits <= 16 else np.uint32)
    weights = 2 ** np.arange(bits - 1, -1, -1, dtype=np.uint32)
    for top in range(0, len(rows), _ROWS_AT_ONCE):
        part = np.unpackbits(rows[top : top + _ROWS_AT_ONCE], axis=1)[:, : n_numbers * bits]
        numbers[top : top + _ROWS_AT_ONCE] = part.reshape(len(part), n_numbers, bits) @ weights
    return numbers


def _to_image(samples: Samples, layout: TiffLayout, n_colours: int) -> Image.Image:
    mapped = to_8_bits(samples, _range_of_file(layout), n_colours)
    if layout.photometric == 0:
        mapped[..., 0] = 255 - mapped[..., 0]
    mode = _MODES[n_colours]
    if mapped.shape[2] > n_colours:
        mode += "a" if layout.extra[:1] == (1,) else "A"
    height, width = mapped.shape[:2]
    return Image.frombytes(mode, (width, height), mapped.tobytes())


def _range_of_file(layout: TiffLayout) -> Range | None:
    """The range that the file names: by its tags, by its number of bits, or by its colour space."""
    bits = layout.bits[0]
    if layout.sample_format == FLOATING:
        return Range(*layout.said) if layout.said else None
    full = 2.0 ** (bits - (layout.sample_format == SIGNED)) - 1
    if layout.photometric == 5 or bits not in (16, 32, 64):
        return Range(0.0, full)
    return Range(*layout.said) if layout.said and layout.said[1] < full else None
