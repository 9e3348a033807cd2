"""The image formats that Pawsort reads: by what a file begins and ends with, and what its name ends with.

How a file is decoded depends on its content alone (`core.decoding.images`); suffixes are for file dialogs, and for
leaving out files that are something else before they are uploaded.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class ImageFormat:
    """One format.

    Attributes:
        name: As people write it.
        pillow_name: As Pillow's registry of plugins has it.
        start: Matches the first bytes of a file.
        suffixes: Endings of file names, in lower case, without the dot.
    """

    name: str
    pillow_name: str
    start: re.Pattern[bytes]
    suffixes: tuple[str, ...]


def _starts(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(pattern, re.DOTALL)


IMAGE_FORMATS = (
    ImageFormat("JPEG", "JPEG", _starts(rb"\xff\xd8\xff"), ("jpg", "jpeg", "jpe", "jfif")),
    ImageFormat("PNG", "PNG", _starts(rb"\x89PNG\r\n\x1a\n"), ("png",)),
    ImageFormat("WebP", "WEBP", _starts(rb"RIFF.{4}WEBP"), ("webp",)),
    ImageFormat("BMP", "BMP", _starts(rb"BM"), ("bmp", "dib")),
    ImageFormat("GIF", "GIF", _starts(rb"GIF8[79]a"), ("gif",)),
    # In either byte order; BigTIFF; and with its number the wrong way round, which Pillow reads too.
    ImageFormat("TIFF", "TIFF", _starts(rb"II(\*\0|\0\*|\+\0)|MM(\0\*|\*\0|\0\+)"), ("tif", "tiff")),
    ImageFormat("AVIF", "AVIF", _starts(rb".{4}ftypavi[fs]"), ("avif",)),
    ImageFormat("HEIC", "HEIF", _starts(rb".{4}ftyp(hei[cxms]|hev[cxms]|mif1|msf1)"), ("heic", "heif", "hif")),
)
SUFFIXES = tuple(suffix for format_ in IMAGE_FORMATS for suffix in format_.suffixes)


def find_format(head: bytes) -> ImageFormat | None:
    """The format that a file begins like.

    Args:
        head: At least the first 12 bytes, or all of a shorter file.
    """
    return next((format_ for format_ in IMAGE_FORMATS if format_.start.match(head)), None)


def join_names(conjunction: str) -> str:
    """The names of all formats for a sentence: "JPEG, PNG, ... AVIF and HEIC"."""
    *names, last = (format_.name for format_ in IMAGE_FORMATS)
    return f"{', '.join(names)} {conjunction} {last}"
