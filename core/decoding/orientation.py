"""Which way up a picture is: EXIF's orientation."""

from PIL import ExifTags, Image, TiffImagePlugin

UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def find_turn(image: Image.Image) -> Image.Transpose | None:
    """The turn that brings a loaded picture upright; None if it is upright."""
    return UPRIGHT.get(_orientation(image))


def _orientation(image: Image.Image) -> int:
    """EXIF's orientation; 1 (upright) where it cannot be read: a picture is worth more than its tags."""
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return 1  # Pillow has turned it while loading
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:
        return 1
