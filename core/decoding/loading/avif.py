"""Loading an AVIF, and no more of its frame than is the picture."""

from core.decoding.limits import check_opened
from core.decoding.loading.picture import Picture
from core.decoding.opening import open_image
from core.decoding.structure.avif_crop import find_crop


def load_avif(data: bytes, max_pixels: int) -> Picture:
    """Load an AVIF.

    Raises:
        ImageError: `too_many_pixels`.
        Exception: Whatever Pillow raises for a broken file.
    """
    image = open_image(data)
    check_opened(image, max_pixels)
    image.load()
    crop = find_crop(data, *image.size)  # a turn comes after it, and Pillow leaves that to its callers, too
    if crop is None:
        return Picture(image, *image.size)
    cropped = image.crop(crop)
    cropped.info["exif"] = image.getexif().tobytes()
    return Picture(cropped, *cropped.size)
