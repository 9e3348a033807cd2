"""Loading a BMP whose alpha, if it has one, means something."""

from core.decoding.limits import check_opened
from core.decoding.loading.picture import Picture
from core.decoding.loading.rows import load_rows
from core.decoding.opening import open_image


def load_bmp(data: bytes, max_pixels: int) -> Picture:
    """Load a BMP, or nine tenths of it at least.

    Many programs name a mask for alpha and leave it zero; viewers show such pictures as opaque.

    Raises:
        ImageError: `truncated` or `too_many_pixels`.
        Exception: Whatever Pillow raises for a broken file.
    """
    image = open_image(data)
    check_opened(image, max_pixels)
    picture = load_rows(image, data)
    if picture.image.mode == "RGBA" and not picture.image.getchannel("A").getbbox():
        return picture._replace(image=picture.image.convert("RGB"))
    return picture
