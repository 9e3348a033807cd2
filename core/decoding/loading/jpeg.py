"""Loading a JPEG: reduced while it is decoded, and without the rows that are not there.

libjpeg fills what a file lacks with grey and says nothing, so a file without an end mark, and one whose last row is
grey, are measured (jpeg_rows.py). Then its data gets an end mark, and the rows that are there are used.
"""

from PIL import Image, JpegImagePlugin

from core.base.errors import ErrorCode, ImageError
from core.decoding.limits import check_jpeg
from core.decoding.loading.jpeg_rows import END_MARK, count_rows
from core.decoding.loading.picture import Picture, Size, keep_rows
from core.decoding.opening import open_image
from core.decoding.structure.jpeg import JpegStructure, read_structure

_FILLING_BYTES = 512  # a sector; disks and copying programs fill with 0xF6, 0xFF and others
_GREY = (127, 128)  # what libjpeg puts where nothing came


def load_jpeg(data: bytes, size_of: Size, max_pixels: int) -> Picture:
    """Load a JPEG at the smallest scale that is at least the size that is wanted.

    Raises:
        ImageError: `truncated` or `too_many_pixels`.
        Exception: Whatever Pillow raises for a broken file.
    """
    structure = read_structure(data)
    if structure is None:
        raise ImageError(ErrorCode.TRUNCATED)
    check_jpeg(structure, max_pixels)
    width, height = structure.width, structure.height
    if structure.is_closed:
        image = _load(data, size_of, max_pixels)
        if not _ends_grey(image):
            return Picture(image, width, height)
    body = _without_padding(data, structure)
    rows = count_rows(body, structure)
    image = _load(body + END_MARK, size_of, max_pixels)
    return Picture(image, width, height) if rows.is_all else keep_rows(image, width, height, (0, rows.n))


def _load(data: bytes, size_of: Size, max_pixels: int) -> Image.Image:
    image = open_image(data)
    assert isinstance(image, JpegImagePlugin.JpegImageFile)
    _reduce(image, size_of(*image.size), max_pixels)
    image.load()
    return image


def _reduce(image: JpegImagePlugin.JpegImageFile, size: tuple[int, int], max_pixels: int) -> None:
    """Let libjpeg scale by 1/2, 1/4 or 1/8 while it decodes: never below `size`, but for the limit on pixels."""
    scale = max(1, min(image.width // size[0], image.height // size[1], 8))
    while scale < 8 and image.width * image.height > max_pixels * scale**2:
        scale *= 2
    image.draft(None, (max(1, image.width // scale), max(1, image.height // scale)))


def _ends_grey(image: Image.Image) -> bool:
    """Whether the last row is grey throughout; the last corner, where most pictures are not, is looked at first."""
    if not _is_grey(image.getpixel((image.width - 1, image.height - 1))):
        return False
    colours = image.crop((0, image.height - 1, image.width, image.height)).getcolors(1)
    return colours is not None


def _is_grey(pixel: float | tuple[int, ...] | None) -> bool:
    return all(value in _GREY for value in (pixel if isinstance(pixel, tuple) else (pixel,)))


def _without_padding(data: bytes, structure: JpegStructure) -> bytes:
    """The file up to the end of its last scan, without zeros or a long run of another byte behind it."""
    end = structure.scans[-1].end
    if end < len(data):
        return data[:end]
    filling = data[-1:]
    body = data.rstrip(filling)
    if filling != b"\0" and end - len(body) < _FILLING_BYTES:
        return data
    return body + b"\0" if body.endswith(b"\xff") and filling == b"\0" else body  # this zero belongs to the data
