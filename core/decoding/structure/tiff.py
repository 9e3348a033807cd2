"""The tags of a TIFF's first picture, how its samples lie in the file, and the names of its kinds.

Source: TIFF 6.0 (Adobe, 1992) and its technical notes 1 to 3; DNG 1.7 for the raw pictures of cameras.
"""

import io
from collections.abc import Iterator
from typing import Any, NamedTuple

from PIL import TiffImagePlugin
from PIL.TiffImagePlugin import ImageFileDirectory_v2

RAW_PHOTOMETRICS = frozenset((32803, 34892))  # a mosaic of colour filters, and one that was filled in
UNSIGNED, SIGNED, FLOATING = 1, 2, 3

_PHOTOMETRIC, _SUB_IFDS, _SAMPLE_FORMAT, _PREDICTOR, _SUBSAMPLING = 262, 330, 339, 317, 530
_MIN, _MAX, _SMIN, _SMAX = 280, 281, 340, 341
_DNG_VERSION = 50706
_MAX_DIRECTORIES = 16
_COMPRESSIONS = {
    1: "no compression",
    2: "CCITT compression",
    3: "CCITT compression",
    4: "CCITT compression",
    5: "LZW compression",
    6: "old JPEG compression",
    7: "JPEG compression",
    8: "deflate compression",
    32773: "PackBits compression",
    32946: "deflate compression",
    33003: "JPEG 2000 compression",
    33004: "JPEG 2000 compression",
    33005: "JPEG 2000 compression",
    34676: "SGI LogLuv compression",
    34677: "SGI LogLuv compression",
    34712: "JPEG 2000 compression",
    34887: "LERC compression",
    34892: "lossy JPEG compression of DNG",
    34925: "LZMA compression",
    34933: "PNG compression",
    34934: "JPEG XR compression",
    50000: "Zstandard compression",
    50001: "WebP compression",
    50002: "JPEG XL compression",
    52546: "JPEG XL compression",
}
_COLOURS = {0: "grey", 1: "grey", 2: "RGB", 3: "palette", 4: "mask", 5: "CMYK", 6: "YCbCr", 8: "CIELAB", 9: "ICC Lab"}
_FORMATS = {UNSIGNED: "unsigned", SIGNED: "signed", FLOATING: "floating-point", 5: "complex", 6: "complex"}


class TiffLayout(NamedTuple):
    """How the samples of a TIFF's first picture lie in the file.

    Attributes:
        order: "<" or ">", as NumPy writes byte orders.
        bits: Of each sample.
        sample_format: UNSIGNED, SIGNED, FLOATING or another number of the specification.
        n_samples: Of each pixel.
        extra: What the samples behind the colours are: 1 alpha that colours are multiplied by, 2 alpha, 0 unknown.
        is_planar: Whether each kind of sample has strips of its own.
        block: Width and height of a tile, or of a strip.
        offsets: Of the tiles or strips.
        counts: Their bytes; empty if the file does not say.
        is_subsampled: Whether some colours have fewer samples than pixels, and no codec takes care of it.
        said: The smallest and the greatest value that the file names; None where it names none.
        profile: The ICC profile.
    """

    width: int
    height: int
    order: str
    bits: tuple[int, ...]
    sample_format: int
    n_samples: int
    extra: tuple[int, ...]
    photometric: int
    compression: int
    predictor: int
    fill_order: int
    orientation: int
    is_planar: bool
    is_tiled: bool
    block: tuple[int, int]
    offsets: tuple[int, ...]
    counts: tuple[int, ...]
    is_subsampled: bool
    said: tuple[float, float] | None
    profile: bytes | None

    @property
    def name(self) -> str:
        """What this file is, for a sentence: "TIFF with 16-bit floating-point RGB samples and LZW compression"."""
        colours = _COLOURS.get(self.photometric, f"photometric {self.photometric}")
        format_ = _FORMATS.get(self.sample_format, "undefined")
        samples = f"{self.n_samples} " if self.n_samples > 1 else ""
        packing = _COMPRESSIONS.get(self.compression, f"compression {self.compression}")
        return f"TIFF with {samples}{max(self.bits)}-bit {format_} {colours} samples and {packing}"


def read_layout(data: bytes) -> TiffLayout | None:
    """The layout of the first picture of a TIFF; None if its tags cannot be read."""
    try:
        return _layout(_first_directory(data))
    except Exception:  # anything can be in a tag
        return None


def is_raw(data: bytes) -> bool:
    """Whether a TIFF holds what a camera's sensor saw, before it was made into a picture."""
    try:
        return data[8:10] == b"CR" or any(
            tags.get(_PHOTOMETRIC) in RAW_PHOTOMETRICS or _DNG_VERSION in tags for tags in _directories(data)
        )
    except Exception:
        return False


def _first_directory(data: bytes) -> ImageFileDirectory_v2:
    head = data[:16] if 43 in data[2:4] else data[:8]
    tags = ImageFileDirectory_v2(head)
    return _load(data, head, tags.next)


def _load(data: bytes, head: bytes, offset: int) -> ImageFileDirectory_v2:
    tags = ImageFileDirectory_v2(head)
    file = io.BytesIO(data)
    file.seek(offset)
    tags.load(file)
    return tags


def _directories(data: bytes) -> Iterator[ImageFileDirectory_v2]:
    """The first directory, and those of the pictures that are versions of it."""
    first = _first_directory(data)
    yield first
    head = data[:16] if 43 in data[2:4] else data[:8]
    below = first.get(_SUB_IFDS, ())
    for offset in (below if isinstance(below, tuple) else (below,))[:_MAX_DIRECTORIES]:
        yield _load(data, head, int(offset))


def _layout(tags: ImageFileDirectory_v2) -> TiffLayout:
    width, height = int(tags[TiffImagePlugin.IMAGEWIDTH]), int(tags[TiffImagePlugin.IMAGELENGTH])
    is_tiled = TiffImagePlugin.TILEOFFSETS in tags
    n_samples = int(tags.get(TiffImagePlugin.SAMPLESPERPIXEL, 1))
    bits = _numbers(tags, TiffImagePlugin.BITSPERSAMPLE) or (1,)
    formats = _numbers(tags, _SAMPLE_FORMAT) or (UNSIGNED,)
    tiles = (TiffImagePlugin.TILEOFFSETS, TiffImagePlugin.TILEBYTECOUNTS)
    strips = (TiffImagePlugin.STRIPOFFSETS, TiffImagePlugin.STRIPBYTECOUNTS)
    offsets, counts = (_numbers(tags, tag) for tag in (tiles if is_tiled else strips))
    block = (
        (int(tags[TiffImagePlugin.TILEWIDTH]), int(tags[TiffImagePlugin.TILELENGTH]))
        if is_tiled
        else (
            width,
            min(height, int(tags.get(TiffImagePlugin.ROWSPERSTRIP, height))),
        )
    )
    return TiffLayout(
        width=width,
        height=height,
        order="<" if tags.prefix == b"II" else ">",
        bits=bits[:n_samples],
        sample_format=formats[0] if len(set(formats)) == 1 else 0,
        n_samples=n_samples,
        extra=_numbers(tags, TiffImagePlugin.EXTRASAMPLES),
        photometric=int(tags.get(_PHOTOMETRIC, 0)),
        compression=int(tags.get(TiffImagePlugin.COMPRESSION, 1)),
        predictor=int(tags.get(_PREDICTOR, 1)),
        fill_order=int(tags.get(TiffImagePlugin.FILLORDER, 1)),
        orientation=int(tags.get(274, 1)),
        is_planar=tags.get(TiffImagePlugin.PLANAR_CONFIGURATION, 1) == 2 and n_samples > 1,
        is_tiled=is_tiled,
        block=block,
        offsets=offsets,
        counts=counts,
        is_subsampled=_is_subsampled(tags),
        said=_said(tags),
        profile=tags.get(TiffImagePlugin.ICCPROFILE),
    )


def _numbers(tags: ImageFileDirectory_v2, tag: int) -> tuple[int, ...]:
    value: Any = tags.get(tag, ())
    return tuple(int(number) for number in (value if isinstance(value, tuple) else (value,)))


def _is_subsampled(tags: ImageFileDirectory_v2) -> bool:
    is_ycbcr = tags.get(_PHOTOMETRIC) == 6 and tags.get(TiffImagePlugin.COMPRESSION, 1) == 1
    return is_ycbcr and tags.get(_SUBSAMPLING, (2, 2)) != (1, 1)


def _said(tags: ImageFileDirectory_v2) -> tuple[float, float] | None:
    for low_tag, high_tag in ((_SMIN, _SMAX), (_MIN, _MAX)):
        high: Any = tags.get(high_tag)
        low: Any = tags.get(low_tag, 0)
        if high is not None:
            lows, highs = (value if isinstance(value, tuple) else (value,) for value in (low, high))
            return float(min(lows)), float(max(highs))
    return None
