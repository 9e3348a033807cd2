"""Loading a file of any format: the checks before it is decoded, and the way of its format."""

from collections.abc import Callable

from core.base.errors import ErrorCode, ImageError
from core.base.image_formats import HEAD_BYTES, RAW, find_format
from core.decoding.limits import check_bytes, check_opened
from core.decoding.loading.avif import load_avif
from core.decoding.loading.bmp import load_bmp
from core.decoding.loading.heif import load_heif
from core.decoding.loading.jpeg import load_jpeg
from core.decoding.loading.jpeg2000 import load_jpeg2000
from core.decoding.loading.picture import Picture, Size
from core.decoding.loading.png import load_png
from core.decoding.loading.raws import load_raw
from core.decoding.loading.rows import load_rows
from core.decoding.loading.tiff import load_tiff
from core.decoding.loading.webp import load_webp
from core.decoding.opening import open_image
from core.decoding.structure.tiff import is_raw
from core.decoding.variants import check_jpeg_variant
from core.formats.signatures import fault_of_unreadable


def load(data: bytes, size_of: Size, max_pixels: int) -> Picture:
    """Load the first frame of a picture, or nine tenths of it at least.

    Args:
        data: The file's bytes.
        size_of: From the picture's size to the one that is wanted: a JPEG is reduced as far as that allows.
        max_pixels: Largest number of pixels that are decoded.
    Raises:
        ImageError: Its code says why.
        Exception: Whatever Pillow raises for a broken file.
    """
    image_format = find_format(data[:HEAD_BYTES])
    if image_format is None and data[4:8] != b"ftyp":  # decoders know more brands of these than we do
        raise ImageError(*fault_of_unreadable(data))
    name = image_format.name if image_format else None
    check_bytes(data, max_pixels)
    if name == RAW or (name == "TIFF" and is_raw(data)):
        return _load_raw(data, size_of, max_pixels)
    if name == "JPEG":
        check_jpeg_variant(data)
        return load_jpeg(data, size_of, max_pixels)
    if name in ("HEIC", None):
        return load_heif(data, size_of, max_pixels)
    return _LOADERS[name](data, max_pixels)


def _load_by_rows(data: bytes, max_pixels: int) -> Picture:
    image = open_image(data)
    check_opened(image, max_pixels)
    return load_rows(image, data)


def _load_raw(data: bytes, size_of: Size, max_pixels: int) -> Picture:
    """By LibRaw, or where it does not know the file, what is in it as an ordinary TIFF."""
    if picture := load_raw(data, size_of, max_pixels):
        return picture
    try:
        return load_tiff(data, max_pixels)
    except (ImageError, OSError, SyntaxError) as error:
        if isinstance(error, ImageError) and error.code == ErrorCode.TOO_MANY_PIXELS:
            raise
    raise ImageError(ErrorCode.UNSUPPORTED_FORMAT, "A camera raw of an unknown kind, without a preview")


_LOADERS: dict[str, Callable[[bytes, int], Picture]] = {
    "PNG": load_png,
    "WebP": load_webp,
    "BMP": load_bmp,
    "GIF": _load_by_rows,
    "TIFF": load_tiff,
    "AVIF": load_avif,
    "JPEG 2000": load_jpeg2000,
}
