"""Variants of formats that are not read, by name: their files are whole, and copying them again would not help."""

import struct

from core.base.errors import ErrorCode, ImageError
from core.decoding.structure.tiff import read_layout

_FRAMES = {
    0xC3: "lossless JPEG",
    0xC5: "hierarchical JPEG",
    0xC6: "hierarchical JPEG",
    0xC7: "lossless JPEG",
    0xCB: "lossless JPEG",
    0xCD: "hierarchical JPEG",
    0xCE: "hierarchical JPEG",
    0xCF: "lossless JPEG",
    0xF7: "JPEG-LS",
}
_READ_FRAMES = frozenset((0xC0, 0xC1, 0xC2, 0xC9, 0xCA))
_ALONE = frozenset((0x01, *range(0xD0, 0xD9)))
_BMP_COMPRESSIONS = {4: "a JPEG inside", 5: "a PNG inside", 11: "CMYK colours", 12: "CMYK colours", 13: "CMYK colours"}


def check_jpeg_variant(data: bytes) -> None:
    """Refuse a JPEG that libjpeg does not read in this build.

    Raises:
        ImageError: `unsupported_format`, with the variant's name.
    """
    if name := _name_of_jpeg(data):
        raise ImageError(ErrorCode.UNSUPPORTED_FORMAT, name)


def name_of_variant(data: bytes) -> str | None:
    """The name of a BMP or TIFF that no decoder took, though its tags can be read."""
    if data[:2] == b"BM":
        return _name_of_bmp(data)
    layout = read_layout(data) if data[:2] in (b"II", b"MM") else None
    return layout.name if layout and layout.offsets else None


def _name_of_jpeg(data: bytes) -> str | None:
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF or marker in _ALONE:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in _FRAMES:
            return _FRAMES[marker]
        if marker in _READ_FRAMES:
            return _name_of_frame(data[at + 4 : at + 10])
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def _name_of_frame(frame: bytes) -> str | None:
    if len(frame) < 6:
        return None
    precision, n_components = frame[0], frame[5]
    if precision in range(2, 17) and precision != 8:
        return f"JPEG with {precision} bits for each sample"
    return f"JPEG with {n_components} components" if n_components == 2 or n_components > 4 else None


def _name_of_bmp(data: bytes) -> str | None:
    if len(data) < 34:
        return None
    (size,) = struct.unpack_from("<I", data, 14)
    bits, compression = struct.unpack_from("<HI", data, 28) if size >= 40 else (0, 0)
    what = _BMP_COMPRESSIONS.get(compression, f"{bits} bits for each pixel and compression {compression}")
    return f"BMP with {what}"
