"""Loading a PNG, also one of 16 bits: those that use few of them are brought to the range that they use.

Pillow gives greys of 16 bits as they are, of colours the high bytes alone. Where these say that the picture uses only a
part of its range, the low bytes are decoded as well.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from core.base.errors import ErrorCode, ImageError
from core.decoding.limits import check_opened
from core.decoding.loading.picture import Picture
from core.decoding.loading.rows import load_rows
from core.decoding.opening import open_image
from core.decoding.ranges import Range, to_8_bits, uses_a_quarter
from core.decoding.structure import png

_FIRST_CHUNK = slice(12, 16)
_DEPTH_AT = 24
_LOW_BYTES = {"RGB;16B": "RGB;16L", "RGBA;16B": "RGBA;16L", "LA;16B": "RGBA"}  # raw modes of Pillow


def load_png(data: bytes, max_pixels: int) -> Picture:
    """Load a PNG, or nine tenths of it at least, in 8 bits.

    Raises:
        ImageError: `truncated`, `too_many_pixels` or `unsupported_format`.
        Exception: Whatever Pillow raises for a broken file.
    """
    if data[_FIRST_CHUNK] == b"CgBI":
        raise ImageError(ErrorCode.UNSUPPORTED_FORMAT, "A PNG from inside an app for iPhones (CgBI)")
    data = png.keep_picture(data)
    image = open_image(data)
    check_opened(image, max_pixels)
    raw_mode = _raw_mode(image)
    picture = load_rows(image, data)
    if data[_DEPTH_AT : _DEPTH_AT + 1] != b"\x10":
        return picture
    return picture._replace(image=_in_8_bits(picture, data, raw_mode))


def _raw_mode(image: ImageFile.ImageFile) -> str:
    args: Any = image.tile[0].args if image.tile else ""
    return args if isinstance(args, str) else args[0]


def _in_8_bits(picture: Picture, data: bytes, raw_mode: str) -> Image.Image:
    image = picture.image
    transparency, said = image.info.get("transparency"), _said(data)
    if image.mode.startswith("I"):
        values = np.asarray(image)[..., None]
    elif picture.warning or (transparency is said is None and uses_a_quarter(_colours(image))):
        return image
    else:
        values = _with_low_bytes(image, data, raw_mode)
    n_colours = values.shape[2] - (values.shape[2] in (2, 4))
    mapped = to_8_bits(values, said, n_colours)
    if transparency is not None:
        alpha = np.any(values != np.asarray(transparency), axis=2, keepdims=True) * np.uint8(255)
        mapped = np.concatenate((mapped, alpha), axis=2)
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[mapped.shape[2]]
    result = Image.frombytes(mode, image.size, mapped.tobytes())
    result.info = {key: value for key, value in image.info.items() if key != "transparency"}
    return result


def _colours(image: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(image)[..., :3]


def _with_low_bytes(image: Image.Image, data: bytes, raw_mode: str) -> NDArray[np.uint16]:
    """The samples of a picture that was loaded without its low bytes.

    Returns:
        (rows, columns, samples): grey and alpha, RGB, or RGBA.
    """
    again = open_image(data)
    again.tile = [tile._replace(args=_LOW_BYTES[raw_mode]) for tile in again.tile]
    again.load()
    pixels = np.asarray(again).astype(np.uint16)
    if raw_mode == "LA;16B":  # its four bytes came as four bands
        high, low = pixels[..., ::2], pixels[..., 1::2]
    else:
        high, low = np.asarray(image).astype(np.uint16), pixels
    return high * np.uint16(256) + low


def _said(data: bytes) -> Range | None:
    """What sBIT says. Writers who scale such values to all 16 bits, as they should, go beyond it."""
    at = data.find(b"sBIT", 0, data.find(b"IDAT"))
    bits = data[at + 4] if at >= 0 else 16
    return Range(0.0, 2.0**bits - 1) if 8 <= bits < 16 else None
