"""Loading a file of any format: the checks before it is decoded, and the way of its format."""

from core.base.image_formats import find_format
from core.decoding.limits import check_bytes, check_opened
from core.decoding.loading.jpeg import load_jpeg
from core.decoding.loading.picture import Picture, Size
from core.decoding.loading.rows import load_rows
from core.decoding.loading.webp import load_webp
from core.decoding.opening import open_image
from core.decoding.structure import png

_BY_ROWS = ("PNG", "GIF", "BMP", "TIFF")


def load(data: bytes, size_of: Size, max_pixels: int) -> Picture:
    """Load the first frame of a picture, or nine tenths of it at least.

    Args:
        data: The file's bytes.
        size_of: From the picture's size to the one that is wanted: a JPEG is reduced as far as that allows.
        max_pixels: Largest number of pixels that are decoded.
    Raises:
        ImageError: `truncated` or `too_many_pixels`.
        Exception: Whatever Pillow raises for a broken file.
    """
    image_format = find_format(data[:16])
    name = image_format.pillow_name if image_format else None
    check_bytes(data, max_pixels)
    if name == "JPEG":
        return load_jpeg(data, size_of, max_pixels)
    if name == "WEBP":
        return load_webp(data, max_pixels)
    if name == "PNG":
        data = png.keep_picture(data)
    image = open_image(data)
    check_opened(image, max_pixels)
    if name in _BY_ROWS:
        return load_rows(image, data)
    image.load()
    return Picture(image, *image.size)
