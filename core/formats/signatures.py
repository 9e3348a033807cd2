"""First and last bytes of files: which formats are supported, and which are pictures of another kind.

Used to choose the error code of a file that could not be opened, and to find files at sight that will not be readable;
never to decide how a file is read.
"""

from core.base.errors import ErrorCode
from core.base.image_formats import find_format

_OTHER_PICTURES = (
    b"8BPS",  # Photoshop
    b"\0\0\0\x0cjP  ",  # JPEG 2000
    b"\xff\x4f\xff\x51",  # JPEG 2000, bare code stream
    b"\xff\x0a",  # JPEG XL, bare code stream
    b"\0\0\0\x0cJXL ",
    b"II\xbc",  # JPEG XR
    b"\0\0\x01\0",  # ICO
    b"\0\0\x02\0",  # CUR
    b"icns",
    b"DDS ",
    b"BLP1",
    b"BLP2",
    b"FTEX",
    b"FTC\0",
    b"qoif",
    b"P1",  # the portable anymaps
    b"P2",
    b"P3",
    b"P4",
    b"P5",
    b"P6",
    b"P7",
    b"Pf",
    b"PF",
    b"\x01\xda",  # SGI
    b"\x0a\0\x01",  # PCX: maker's mark, version, run-length encoding
    b"\x0a\x02\x01",
    b"\x0a\x03\x01",
    b"\x0a\x05\x01",
    b"\xb1\x68\xde\x3a",  # DCX
    b"\x59\xa6\x6a\x95",  # Sun raster
    b"\x28\0\0\0",  # DIB: a BMP without its file header
    b"\xd7\xcd\xc6\x9a",  # WMF
    b"\x01\0\0\0\x6c\0\0\0",  # EMF
    b"\xc5\xd0\xd3\xc6",  # EPS with a preview
    b"%!PS",
    b"DanM",  # Microsoft Paint
    b"LinS",
    b"SIMPLE  =",  # FITS
    b"v/1\x01",  # OpenEXR
    b"#?RADIANCE",
    b"#?RGBE",
    b"gimp xcf",
    b"/* XPM */",
    b"IIRO",  # Olympus
    b"IIRS",
    b"IIU\0",  # Panasonic
    b"FUJIFILMCCD-RAW",
    b"FOVb",  # Sigma
    b"BPG\xfb",
    b"KTX",
    b"\xabKTX",
)
_OTHER_BRANDS = frozenset((b"crx ", b"jxl ", b"jp2 ", b"jpx "))
_TARGA_END = b"TRUEVISION-XFILE.\0"  # this format is known by its last bytes
_TEXT_BYTES = 1024  # how far into a text file its first element is looked for


def code_of_unreadable(data: bytes | bytearray | memoryview) -> ErrorCode:
    """Choose the error code of a file that no decoder recognised.

    Args:
        data: The whole file.
    Returns:
        `truncated` when it begins like a supported format, `unsupported_format` for another kind of
        picture, `empty_file`, else `not_an_image`.
    """
    head = bytes(data[:_TEXT_BYTES])
    if not head:
        return ErrorCode.EMPTY_FILE
    if find_format(head) is not None:
        return ErrorCode.TRUNCATED
    brand = head[8:12] if head[4:8] == b"ftyp" else b""
    is_other = brand in _OTHER_BRANDS or head.startswith(_OTHER_PICTURES) or data[-18:] == _TARGA_END
    if is_other or _is_svg(head) or _is_flic(head):
        return ErrorCode.UNSUPPORTED_FORMAT
    return ErrorCode.NOT_AN_IMAGE


def code_at_sight(data: bytes | bytearray | memoryview) -> ErrorCode | None:
    """The error code of a file that no decoder recognises, found without decoding it; else None.

    What is damaged is left to the decoder: it alone knows how much of a picture is there.
    """
    head = bytes(data[:_TEXT_BYTES])
    is_unknown_box = head[4:8] == b"ftyp"  # decoders know more brands of these than we do
    return None if is_unknown_box or find_format(head) is not None else code_of_unreadable(data)


def _is_svg(head: bytes) -> bool:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return text.startswith(b"<svg") or (text.startswith((b"<?xml", b"<!--", b"<!doctype svg")) and b"<svg" in text)


def _is_flic(head: bytes) -> bool:
    return head[4:6] in (b"\x11\xaf", b"\x12\xaf")  # Autodesk animations: size, then this mark
