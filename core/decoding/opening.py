"""Opening a picture with Pillow: the listed formats alone, and plugins that do not warn."""

import io
import warnings
from types import SimpleNamespace
from typing import TypeAlias

import pillow_heif.as_plugin
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from core.base.image_formats import IMAGE_FORMATS

Buffer: TypeAlias = bytes | bytearray | memoryview

_FORMATS = tuple(format_.pillow_name for format_ in IMAGE_FORMATS if format_.pillow_name)


def open_image(data: Buffer) -> ImageFile.ImageFile:
    """Read the header of a picture; its pixels are decoded when it is loaded."""
    image = Image.open(io.BytesIO(data), formats=_FORMATS)
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        image.decodermaxblock = len(data)  # arithmetic coding must come at once
    return image


def _prepare_pillow() -> None:
    """Register HEIF, and keep notes on odd files from becoming warnings.

    Pillow warns about what it reads past (odd tags, many pixels). `warnings.catch_warnings` is not safe with threads,
    and where warnings are errors a readable picture would fail; so the plugins get a `warnings` that says nothing.
    Pillow's own limit on pixels counts what a header says, so it is replaced by `core.decoding.limits`.
    """
    pillow_heif.as_plugin.register_heif_opener(depth_images=False, aux_images=False, decode_threads=1)
    silent = SimpleNamespace(**{**vars(warnings), "warn": lambda *_args, **_kwargs: None})
    for module in (Image, JpegImagePlugin, PngImagePlugin, TiffImagePlugin):
        module.__dict__["warnings"] = silent
    pillow_heif.as_plugin.__dict__["warn"] = silent.warn
    Image.MAX_IMAGE_PIXELS = None
    Image.preinit()
    assert set(_FORMATS) <= set(Image.OPEN), "a decoder is missing in this build of Pillow"


_PLUGINS = (  # imported to register
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Jpeg2KImagePlugin,
    MpoImagePlugin,
    WebPImagePlugin,
)
_prepare_pillow()
