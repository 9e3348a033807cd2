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
        pillow_name: As Pillow's registry of plugins has it; empty if Pillow does not read it.
        start: Matches the first bytes of a file.
        suffixes: Endings of file names, in lower case, without the dot.
    """

    name: str
    pillow_name: str
    start: re.Pattern[bytes]
    suffixes: tuple[str, ...]


def _starts(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(pattern, re.DOTALL)


RAW = "camera raw"
IMAGE_FORMATS = (
    ImageFormat("JPEG", "JPEG", _starts(rb"\xff\xd8\xff"), ("jpg", "jpeg", "jpe", "jfif")),
    ImageFormat("PNG", "PNG", _starts(rb"\x89PNG\r\n\x1a\n"), ("png",)),
    ImageFormat("WebP", "WEBP", _starts(rb"RIFF.{4}WEBP"), ("webp",)),
    ImageFormat("BMP", "BMP", _starts(rb"BM.{12}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\0\0\0"), ("bmp", "dib")),
    ImageFormat("GIF", "GIF", _starts(rb"GIF8[79]a"), ("gif",)),
    # In either byte order; BigTIFF; and with its number the wrong way round, which Pillow reads too.
    ImageFormat("TIFF", "TIFF", _starts(rb"II(\*\0|\0\*|\+\0)|MM(\0\*|\*\0|\0\+)"), ("tif", "tiff")),
    ImageFormat("AVIF", "AVIF", _starts(rb".{4}ftypavi[fs]"), ("avif",)),
    ImageFormat("HEIC", "HEIF", _starts(rb".{4}ftyp(hei[cxms]|hev[cxms]|mif1|msf1)"), ("heic", "heif", "hif")),
    ImageFormat(
        "JPEG 2000",
        "JPEG2000",
        _starts(rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51\0"),
        ("jp2", "j2k", "jpf", "jpx", "j2c"),
    ),
    # Most raws are TIFFs by their first bytes; these are the others: Canon, Olympus, Panasonic, Fujifilm, Sigma.
    ImageFormat(
        RAW,
        "",
        _starts(rb".{4}ftypcrx |IIR[OS]|MMOR|IIU\0|FUJIFILMCCD-RAW|FOVb[\0-\x08]"),
        ("dng", "cr2", "cr3", "nef", "nrw", "arw", "orf", "rw2", "raf", "pef", "srw"),
    ),
)
HEAD_BYTES = 128  # enough to know a format by
NOT_TEXT = re.compile(rb"[\0-\x08\x0e-\x1a\x1c-\x1f\x7f]")
SUFFIXES = tuple(suffix for format_ in IMAGE_FORMATS for suffix in format_.suffixes)


def find_format(head: bytes) -> ImageFormat | None:
    """The format that a file begins like. A text that begins with the same letters is none.

    Args:
        head: At least the first HEAD_BYTES, or all of a shorter file.
    """
    if not NOT_TEXT.search(head):
        return None
    return next((format_ for format_ in IMAGE_FORMATS if format_.start.match(head)), None)


def join_names() -> str:
    """The names of all formats for a sentence: "JPEG, PNG, ... JPEG 2000 and camera raw"."""
    *names, last = (format_.name for format_ in IMAGE_FORMATS)
    return f"{', '.join(names)} and {last}"
