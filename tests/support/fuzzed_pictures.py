"""Pictures with random faults, drawn from a seed: the same seed and number give the same bytes."""

import os
import random
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from tests.support import damaged
from tests.support.pictures import FORMATS, draw, encode, every_format

N_FAULTS = (1, 1, 2, 4, 12)
HEAD_BYTES = 200  # where most structure is
LARGEST_BYTES = 200_000

Mutation = Callable[[bytearray, random.Random, bytes], None]


def fuzzed_pictures(seed: int, n: int) -> Iterator[bytes]:
    """So many pictures: one of `originals` each, with some faults."""
    draw_from = random.Random(seed)
    sources = originals()
    for _ in range(n):
        data = bytearray(draw_from.choice(sources))
        for _ in range(draw_from.choice(N_FAULTS)):
            if data:
                draw_from.choice(MUTATIONS)(data, draw_from, draw_from.choice(sources))
        yield bytes(data)


@cache
def originals() -> tuple[bytes, ...]:
    """Drawn pictures of every format and many variants; with PAWSORT_TEST_DATA odd and real ones, too."""
    drawn = [*every_format().values(), *damaged.jpegs((80, 60)).values(), *damaged.arithmetic_jpegs().values()]
    drawn += [encode(draw(1).convert(mode), "PNG") for mode in ("1", "L", "P", "LA", "RGBA", "I;16")]
    compressions = ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")
    drawn += [encode(draw(2), "TIFF", compression=compression) for compression in compressions]
    drawn += [encode(draw(3).convert("1"), "TIFF", compression="group4")]
    drawn += [encode(draw(4), format, save_all=True, append_images=[draw(5)]) for format in ("GIF", "WEBP", "PNG")]
    folder = os.environ.get("PAWSORT_TEST_DATA")
    if folder:
        files = sorted((Path(folder) / "odd-images").iterdir())
        files += sorted((Path(folder) / "dogs-vs-cats" / "originals" / "cats").iterdir())[:30]
        drawn += [path.read_bytes() for path in files if path.stat().st_size <= LARGEST_BYTES]
    assert len(drawn) > len(FORMATS)
    return tuple(drawn)


def _place(data: bytearray, chance: random.Random) -> int:
    return chance.randrange(min(len(data), HEAD_BYTES) if chance.random() < 0.5 else len(data))


def _flip_bit(data: bytearray, chance: random.Random, other: bytes) -> None:
    data[_place(data, chance)] ^= 1 << chance.randrange(8)


def _set_byte(data: bytearray, chance: random.Random, other: bytes) -> None:
    data[_place(data, chance)] = chance.choice((0, 1, 0x7F, 0x80, 0xFE, 0xFF))


def _set_number(data: bytearray, chance: random.Random, other: bytes) -> None:
    at = _place(data, chance)
    number = chance.choice((0, 1, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1))
    written = number.to_bytes(4, chance.choice(("little", "big")))
    data[at : at + 4] = written[: len(data[at : at + 4])]


def _cut(data: bytearray, chance: random.Random, other: bytes) -> None:
    if chance.random() < 0.3:
        del data[chance.randrange(len(data)) :]


def _remove(data: bytearray, chance: random.Random, other: bytes) -> None:
    at = _place(data, chance)
    del data[at : at + chance.randint(1, 64)]


def _repeat(data: bytearray, chance: random.Random, other: bytes) -> None:
    at = _place(data, chance)
    piece = data[at : at + chance.randint(1, 512)]
    data[at:at] = piece * chance.randint(1, 8)


def _fill(data: bytearray, chance: random.Random, other: bytes) -> None:
    at = _place(data, chance)
    length = len(data[at : at + chance.randint(1, 256)])
    data[at : at + length] = bytes((chance.choice((0, 0xFF)),)) * length


def _splice(data: bytearray, chance: random.Random, other: bytes) -> None:
    at = chance.randrange(len(other))
    piece = other[at : at + chance.randint(1, 2048)]
    where = _place(data, chance)
    data[where : where + len(piece)] = piece


MUTATIONS: tuple[Mutation, ...] = (_flip_bit, _set_byte, _set_number, _cut, _remove, _repeat, _fill, _splice)
