"""Bytes to pixels: the one place where pictures are opened, for training, inference and thumbnails.

    bytes ─► open (listed formats, pixel limit) ─► load (JPEG: reduced) ─► resize ─► 8 bits, white ground ─► upright

Every fault of the bytes becomes an ImageError with one code; no other exception leaves this module. It imports only
small modules of `core.base` and `core.formats`, so that the decoder's child process stays small.
"""

import io
import threading
import warnings
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any, TypeAlias

import numpy as np
import pillow_heif.as_plugin
from numpy.typing import NDArray
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    ExifTags,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from core.base.errors import ErrorCode, ImageError
from core.base.image_formats import IMAGE_FORMATS
from core.formats.signatures import code_of_unreadable

Buffer: TypeAlias = bytes | bytearray | memoryview

MAX_PIXELS = 50_000_000
_FORMATS = tuple(image_format.pillow_name for image_format in IMAGE_FORMATS)
_FILTER = Image.Resampling.BILINEAR  # antialiased in Pillow, and never brighter or darker than its neighbours
_REDUCING_GAP = 2.0  # large pictures are first averaged down to twice the size: 3 times as fast, no visible change
_JPEG_QUALITY = 85
_LARGE_PIXELS = 16_000_000
_LARGE_ONES_TURN = threading.Lock()  # one at a time: a server has many threads, and each of these takes 0.2 to 0.8 GiB
_BITS_PER_SAMPLE = 258  # TIFF tag
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode_image(data: Buffer, side_px: int, *, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """Decode the first frame of a picture, upright, squeezed to a square.

    Args:
        data: The file's bytes.
        side_px: Width and height of the result.
        max_pixels: Largest width x height that is decoded.
    Returns:
        uint8 (side_px, side_px, 3), rows from the top, RGB, 0 to 255; transparent areas are white.
    Raises:
        ImageError: The bytes cannot be decoded; its code says why. Nothing else is raised for any bytes.
    """
    try:
        return np.asarray(_read(data, side_px, max_pixels, squeeze=True))
    except Exception as error:
        code, reason = _explain(error, data)
    raise _image_error(code, reason)


def make_thumbnail(data: Buffer, size_px: int, *, max_pixels: int = MAX_PIXELS, enlarge: bool = True) -> bytes:
    """Encode a small upright JPEG of a picture, without any of its metadata.

    Args:
        data: The file's bytes.
        size_px: Length of the longer side; the proportions are kept.
        max_pixels: Largest width x height that is decoded.
        enlarge: Whether a picture that is smaller is enlarged.
    Returns:
        A JPEG file.
    Raises:
        ImageError: As for `decode_image`.
    """
    try:
        out = io.BytesIO()
        _read(data, size_px, max_pixels, squeeze=False, enlarge=enlarge).save(out, "JPEG", quality=_JPEG_QUALITY)
        return out.getvalue()
    except Exception as error:
        code, reason = _explain(error, data)
    raise _image_error(code, reason)


def _read(data: Buffer, side_px: int, max_pixels: int, *, squeeze: bool, enlarge: bool = True) -> Image.Image:
    """Open, load, resize, flatten and turn, in the order that costs least."""
    image: Image.Image = Image.open(io.BytesIO(data), formats=_FORMATS)
    width, height = image.size
    if width * height > max_pixels:
        raise ImageError(ErrorCode.TOO_MANY_PIXELS)
    longest_px = side_px if enlarge else min(side_px, max(width, height))
    size = (side_px, side_px) if squeeze else _fit(width, height, longest_px)
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        image.draft(None, size)  # libjpeg scales by 1/2, 1/4 or 1/8 while it decodes, never below `size`
    with _LARGE_ONES_TURN if _is_large(image, width * height) else nullcontext():
        image.load()
        small = _flatten(image, size)
    turn = _UPRIGHT.get(_orientation(image))
    return small if turn is None else small.transpose(turn)


def _is_large(image: Image.Image, n_pixels: int) -> bool:
    """Whether it takes hundreds of MiB to decode. A JPEG that is read line by line and reduced does not."""
    is_reduced = isinstance(image, JpegImagePlugin.JpegImageFile) and not image.info.get("progressive")
    return n_pixels > _LARGE_PIXELS and not is_reduced


def _fit(width: int, height: int, longest_px: int) -> tuple[int, int]:
    scale = longest_px / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _flatten(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Resize to `size` and convert to RGB; resizing first keeps the copies small."""
    if image.mode.startswith(("I", "F")):
        return _flatten_numbers(image, size)
    if image.mode in ("P", "PA") or "transparency" in image.info:
        has_alpha = image.mode == "PA" or "transparency" in image.info
        image = image.convert("RGBA" if has_alpha else "RGB")
    if image.mode in ("LA", "La", "RGBA", "RGBa"):
        return _lay_on_white(image, size)
    if image.mode not in ("L", "RGB", "YCbCr", "CMYK", "LAB", "RGBX"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    small = image.resize(size, _FILTER, reducing_gap=_REDUCING_GAP)
    return small if small.mode == "RGB" else small.convert("RGB")


def _lay_on_white(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Lay a picture with alpha on white, its colours multiplied by alpha before they are averaged."""
    if image.mode in ("LA", "RGBA"):
        image = image.convert(image.mode[:-1] + "a")
    pixels = np.asarray(image.resize(size, _FILTER, reducing_gap=_REDUCING_GAP), dtype=np.uint16)
    white = 255 - pixels[..., -1:]
    colours = np.minimum(pixels[..., :-1] + white, 255).astype(np.uint8)
    return Image.fromarray(np.broadcast_to(colours, (*colours.shape[:2], 3)))


def _flatten_numbers(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Scale grey values of 16 or 32 bits, or real numbers, to 8 bits."""
    bits = _bits(image) if image.mode.startswith("I;16") else 0
    if image.mode not in ("I;16", "I", "F"):
        image = image.convert("I")
    values = np.nan_to_num(np.asarray(image.resize(size, _FILTER), dtype=np.float64))
    low, high = (0.0, 2.0**bits - 1) if bits else _span(values, has_fractions=image.mode == "F")
    shares = np.clip((values - low) / max(high - low, 1e-9), 0.0, 1.0)
    return Image.fromarray(np.rint(shares * 255).astype(np.uint8)).convert("RGB")


def _bits(image: Image.Image) -> int:
    """How many bits hold a 16-bit grey value: 16, or what a TIFF of a camera with fewer says."""
    tags: Any = getattr(image, "tag_v2", {})
    bits = tags.get(_BITS_PER_SAMPLE, (16,))[0]
    return int(bits) if 8 < bits < 16 else 16


def _span(values: NDArray[np.float64], *, has_fractions: bool) -> tuple[float, float]:
    """Black and white of grey values whose format does not name them: the smallest usual range that holds them."""
    low, high = float(values.min()), float(values.max())
    if low >= 0:
        for white in (1.0, 255.0, 65535.0) if has_fractions else (255.0, 65535.0):
            if high <= white:
                return 0.0, white
    return low, high


def _orientation(image: Image.Image) -> int:
    """EXIF's orientation; 1 (upright) where it cannot be read: a picture is worth more than its tags."""
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return 1  # Pillow has turned it while loading
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:
        return 1


def _explain(error: Exception, data: Buffer) -> tuple[ErrorCode, str]:
    """The error code for an exception of a decoder, and its text for the log."""
    reason = f"{type(error).__name__}: {error}"
    if isinstance(error, ImageError):
        return error.code, reason
    if not len(data):
        return ErrorCode.EMPTY_FILE, reason
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and "out of memory" in str(error)):
        return ErrorCode.OUT_OF_MEMORY, reason
    if isinstance(error, Image.DecompressionBombError):
        return ErrorCode.TOO_MANY_PIXELS, reason
    if isinstance(error, UnidentifiedImageError):
        return code_of_unreadable(data), reason
    if isinstance(error, OSError) and str(error).startswith("Unsupported"):  # a BMP of a kind nobody writes
        return ErrorCode.UNSUPPORTED_FORMAT, reason
    return ErrorCode.TRUNCATED, reason


def _image_error(code: ErrorCode, reason: str) -> ImageError:
    """Made after the handler has ended: a chained exception would keep the frames, and so the pixels, alive."""
    error = ImageError(code)
    error.add_note(reason)
    return error


def _prepare_pillow() -> None:
    """Register HEIF, and keep notes on odd files from becoming warnings.

    Pillow warns about what it reads past (odd tags, many pixels). `warnings.catch_warnings` is not safe with threads,
    and where warnings are errors a readable picture would fail; so the plugins get a `warnings` that says nothing.
    Pillow's own limit on pixels (179 million) stays in force beyond that.
    """
    pillow_heif.as_plugin.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)
    silent = SimpleNamespace(**{**vars(warnings), "warn": lambda *_args, **_kwargs: None})
    for module in (Image, JpegImagePlugin, PngImagePlugin, TiffImagePlugin):
        module.__dict__["warnings"] = silent
    pillow_heif.as_plugin.__dict__["warn"] = silent.warn
    Image.preinit()
    assert set(_FORMATS) <= set(Image.OPEN), "a decoder is missing in this build of Pillow"


_PLUGINS = (AvifImagePlugin, BmpImagePlugin, GifImagePlugin, MpoImagePlugin, WebPImagePlugin)  # imported to register
_prepare_pillow()
