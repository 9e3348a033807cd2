"""Loading what a camera's sensor saw: its preview, or developed by LibRaw at half its size.

A camera writes the preview together with the raw data, and raw files are not edited in place; so it is used where it
has the same proportions and is large enough. It is found, and the rest developed, by LibRaw.
"""

import io
import multiprocessing  # noqa: F401 - rawpy imports it with its first file, when a decoder can read no modules any more

import rawpy
from PIL import Image

from core.base.errors import ErrorCode, ImageError
from core.decoding.limits import check_pixels
from core.decoding.loading.jpeg import load_jpeg
from core.decoding.loading.picture import Picture, Size
from core.decoding.orientation import UPRIGHT, find_turn

_SAME_PROPORTIONS = 0.01
_TURNS = {3: UPRIGHT[3], 5: UPRIGHT[8], 6: UPRIGHT[6]}  # LibRaw's numbers
_HALF = 4  # half the size: so many times fewer pixels


def load_raw(data: bytes, size_of: Size, max_pixels: int) -> Picture | None:
    """Load a camera's raw file.

    Returns:
        An upright picture; None if LibRaw does not know this file.
    Raises:
        ImageError: `too_many_pixels`.
    """
    try:
        with rawpy.imread(io.BytesIO(data)) as raw:
            check_pixels(raw.sizes.width, raw.sizes.height, _HALF * max_pixels, "A camera raw")
            return _load_preview(raw, size_of, max_pixels) or _develop(raw)
    except rawpy.LibRawError:
        return None


def _load_preview(raw: rawpy.RawPy, size_of: Size, max_pixels: int) -> Picture | None:
    """The preview, if it is as large as needed and shows all of the picture."""
    try:
        thumbnail = raw.extract_thumb()
        if thumbnail.format != rawpy.ThumbFormat.JPEG:
            return None
        picture = load_jpeg(bytes(thumbnail.data), size_of, max_pixels)
    except (rawpy.LibRawError, ImageError, OSError, SyntaxError, ValueError):
        return None
    if picture.warning or not _is_like(picture, raw, size_of(raw.sizes.width, raw.sizes.height)):
        return None
    turn = find_turn(picture.image) or _TURNS.get(raw.sizes.flip)
    image = picture.image if turn is None else picture.image.transpose(turn)
    return Picture(_without_orientation(image), *image.size)


def _is_like(picture: Picture, raw: rawpy.RawPy, wanted: tuple[int, int]) -> bool:
    """Whether a preview has the proportions of the raw picture, and the size that is wanted."""
    stretch = _proportion(picture.width, picture.height) / _proportion(raw.sizes.width, raw.sizes.height)
    sides = zip(sorted((picture.width, picture.height)), sorted(wanted), strict=True)
    return abs(stretch - 1) <= _SAME_PROPORTIONS and all(side >= least for side, least in sides)


def _proportion(width: int, height: int) -> float:
    return max(width, height) / max(1, min(width, height))


def _without_orientation(image: Image.Image) -> Image.Image:
    """A plain image: it is upright already."""
    plain = Image.new(image.mode, image.size)
    plain.im = image.im.copy()
    plain.info = {key: value for key, value in image.info.items() if key == "icc_profile"}
    return plain


def _develop(raw: rawpy.RawPy) -> Picture:
    image = Image.fromarray(raw.postprocess(half_size=True, use_camera_wb=True))
    if not image.width or not image.height:
        raise ImageError(ErrorCode.TRUNCATED)
    return Picture(image, *image.size)
