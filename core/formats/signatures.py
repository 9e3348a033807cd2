"""First and last bytes of files: which formats are supported, and which are pictures of another kind, by name.

Used to explain a file that could not be opened, and to find files at sight that will not be readable; never to decide
how a file is read. A few letters are no signature: what begins like a format of bytes and is text is no picture.
"""

import re
from typing import TypeAlias

from core.base.errors import ErrorCode
from core.base.image_formats import NOT_TEXT, find_format
from core.formats.archives.kinds import find_kind, find_other
from core.formats.file_kinds import find_file_kind

Buffer: TypeAlias = bytes | bytearray | memoryview

_TEXT_BYTES = 1024  # how far into a text file its first element is looked for
_IN_TEXT = {  # formats that are text, or begin with a line of it
    rb"P[1-6][ \t\r\n]\s*(#[^\n]*\n\s*)*\d+\s+(#[^\n]*\n\s*)*\d+\s": "portable anymap (PBM, PGM or PPM)",
    rb"P7\s+(#[^\n]*\n|[A-Z]+ [^\n]*\n)*(WIDTH|HEIGHT) \d": "portable arbitrary map (PAM)",
    rb"P7 332\s": "XV thumbnail",
    rb"P[Ff]4?\s+\d+\s+\d+\s+-?\d": "portable float map (PFM)",
    rb"SIMPLE  = +T": "FITS",
    rb"#\?(RADIANCE|RGBE)\s": "Radiance HDR",
    rb"/\* XPM \*/": "XPM",
    rb"\s*#define\s+\S+_width\s+\d": "XBM",
    rb"%!PS-Adobe-\d": "PostScript",
    rb"gimp xcf ": "GIMP picture (XCF)",
}
_IN_BYTES = {
    rb"8BPS": "Photoshop picture (PSD)",
    rb"\xff\x0a": "JPEG XL",
    rb"\0\0\0\x0cJXL \r\n\x87\n": "JPEG XL",
    rb".{4}ftypjxl ": "JPEG XL",
    rb".{4}ftypjp[2xm] ": "JPEG 2000",
    rb".{4}ftypavc[is]": "HEIF with AVC inside",
    rb"II\xbc": "JPEG XR",
    rb"\0\0\x01\0[^\0]\0": "Windows icon (ICO)",
    rb"\0\0\x02\0[^\0]\0": "Windows cursor (CUR)",
    rb"icns": "Apple icon (ICNS)",
    rb"DDS ": "DirectDraw surface (DDS)",
    rb"BLP[12]": "Blizzard texture (BLP)",
    rb"FTEX|FTC\0": "Independence War texture (FTEX)",
    rb"qoif": "QOI",
    rb"\x01\xda[\0\x01][\x01\x02]": "SGI picture",
    rb"\x0a[\0\x02\x03\x05]\x01": "PCX",
    rb"\xb1\x68\xde\x3a": "DCX",
    rb"\x59\xa6\x6a\x95": "Sun raster",
    rb"\x28\0\0\0": "bitmap without a file header (DIB)",
    rb"\xd7\xcd\xc6\x9a": "Windows metafile (WMF)",
    rb"\x01\0\0\0.{36} EMF": "Windows metafile (EMF)",
    rb"\xc5\xd0\xd3\xc6": "PostScript (EPS)",
    rb"DanM|LinS": "Microsoft Paint 1 (MSP)",
    rb"v/1\x01": "OpenEXR",
    rb"BPG\xfb": "BPG",
    rb"\xabKTX": "Khronos texture (KTX)",
    rb"SDPX|XPDS": "DPX",
    rb"\x0e\x03\x13\x01": "HDF4",
    rb".{128}DICM": "DICOM",
    rb"AT&TFORM.{4}DJV": "DjVu",
    rb".{4}[\x11\x12]\xaf": "Autodesk animation (FLI)",
}


def _compile(signatures: dict[bytes, str]) -> tuple[tuple[re.Pattern[bytes], str], ...]:
    return tuple((re.compile(pattern, re.DOTALL), name) for pattern, name in signatures.items())


_TEXT_SIGNATURES, _BYTE_SIGNATURES = _compile(_IN_TEXT), _compile(_IN_BYTES)
_TARGA_END = b"TRUEVISION-XFILE.\0"  # this format is known by its last bytes


def fault_of_unreadable(data: Buffer) -> tuple[ErrorCode, str | None]:
    """Choose the error code of a file that no decoder recognised, and its detail.

    Args:
        data: The whole file.
    Returns:
        `truncated` when it begins like a supported format, `unsupported_format` and the name of another kind of
        picture, `empty_file`, else `not_an_image`, with the kind of a video, document or archive.
    """
    head = bytes(data[:_TEXT_BYTES])
    if not head:
        return ErrorCode.EMPTY_FILE, None
    if name := _name_of_other(head, bytes(data[-len(_TARGA_END) :])):
        return ErrorCode.UNSUPPORTED_FORMAT, name
    if find_format(head) is not None:
        return ErrorCode.TRUNCATED, None
    return ErrorCode.NOT_AN_IMAGE, find_file_kind(head) or _name_of_archive(head)


def _name_of_archive(head: bytes) -> str | None:
    if not head.strip(b"\0"):
        return None
    name = find_kind(head) or find_other(head)
    return f"{name} archive" if name else None


def code_at_sight(data: Buffer) -> ErrorCode | None:
    """The error code of a file that no decoder recognises, found without decoding it; else None.

    What is damaged is left to the decoder: it alone knows how much of a picture is there.
    """
    head = bytes(data[:_TEXT_BYTES])
    is_unknown_box = head[4:8] == b"ftyp"  # decoders know more brands of these than we do
    return None if is_unknown_box or find_format(head) is not None else fault_of_unreadable(data)[0]


def _name_of_other(head: bytes, tail: bytes) -> str | None:
    """The name of a format that is not read; None if it is none of them."""
    if find_format(head) is not None:
        return None
    if _is_svg(head):
        return "SVG"
    signatures = _TEXT_SIGNATURES
    if NOT_TEXT.search(head):
        signatures += _BYTE_SIGNATURES
    name = next((name for pattern, name in signatures if pattern.match(head)), None)
    return name or ("Targa (TGA)" if tail == _TARGA_END else None)


def _is_svg(head: bytes) -> bool:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return text.startswith(b"<svg") or (text.startswith((b"<?xml", b"<!--", b"<!doctype svg")) and b"<svg" in text)
