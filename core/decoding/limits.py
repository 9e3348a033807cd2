"""What may be decoded: how many pixels, and how much work and memory they take, counted before it is done.

`max_pixels` limits the pixels that a decoder really makes. A JPEG that is reduced while it is decoded may have more of
them in its file; one that comes in several scans is kept at full size whatever is made of it.
"""

from PIL import Image, TiffImagePlugin

from core.base.errors import ErrorCode, ImageError
from core.decoding.structure import avif, webp
from core.decoding.structure.jpeg import JpegStructure

MAX_PIXELS = 50_000_000
_NOMINAL = 5  # a JPEG that is reduced may have so many times the pixels
_PASSES = 64  # over each pixel of the largest picture: ten times as many as usual scans make, about 2 s
_BYTES_PER_PIXEL = 8  # of a TIFF's tile: four channels of 16 bits
_PIECES = 2**18  # strips or tiles of a TIFF, each of which takes 5 us of Python when it is not compressed


def check_pixels(width: int, height: int, max_pixels: int, what: str | None = None) -> None:
    """Refuse what is larger than the limit.

    Args:
        width: In pixels.
        height: In pixels.
        max_pixels: Their largest product.
        what: What is so large, for the reader of the sentence, if it is not simply the picture.
    Raises:
        ImageError: `too_many_pixels`.
    """
    if width * height > max_pixels:
        size = f"{width:,} x {height:,} pixels"
        raise ImageError(ErrorCode.TOO_MANY_PIXELS, f"{what} of {size}" if what else size)


def check_bytes(data: bytes, max_pixels: int) -> None:
    """Refuse files whose decoders take memory as soon as they are opened, or more than their boxes say.

    Raises:
        ImageError: `too_many_pixels`; `truncated` for an AVIF without a picture.
    """
    if data[8:12] == b"WEBP" and (canvas := webp.canvas_size(data)):
        check_pixels(*canvas, max_pixels, "A canvas")
    if data[4:8] == b"ftyp":  # an AVIF may call itself by the brand of another format
        sizes = avif.frame_sizes(data)
        if not sizes and data[8:11] == b"avi":
            raise ImageError(ErrorCode.TRUNCATED)
        for width, height in sizes:
            check_pixels(width, height, max_pixels, "A frame")


def check_jpeg(structure: JpegStructure, max_pixels: int) -> None:
    """Refuse a JPEG that takes too much memory or too long.

    Raises:
        ImageError: `too_many_pixels`.
    """
    width, height = structure.width, structure.height
    if not structure.is_buffered:
        check_pixels(width, height, _NOMINAL * max_pixels)
        return
    check_pixels(width, height, max_pixels, "A progressive JPEG")
    if sum(structure.area(scan) for scan in structure.scans) > _PASSES * max_pixels:
        what = f"A progressive JPEG of {width:,} x {height:,} pixels in {len(structure.scans):,} scans"
        raise ImageError(ErrorCode.TOO_MANY_PIXELS, what)


def check_opened(image: Image.Image, max_pixels: int) -> None:
    """Refuse an opened picture before it is decoded; a JPEG has been checked and reduced by then.

    Raises:
        ImageError: `too_many_pixels`.
    """
    check_pixels(image.width, image.height, max_pixels)
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        _check_tile(image, max_pixels)


def _check_tile(image: TiffImagePlugin.TiffImageFile, max_pixels: int) -> None:
    """A decoder unpacks whole tiles or strips, however small the picture is."""
    tags = image.tag_v2
    width = tags.get(TiffImagePlugin.TILEWIDTH) or tags.get(TiffImagePlugin.IMAGEWIDTH, 0)
    height = tags.get(TiffImagePlugin.TILELENGTH) or min(
        tags.get(TiffImagePlugin.ROWSPERSTRIP, image.height), tags.get(TiffImagePlugin.IMAGELENGTH, 0)
    )
    check_pixels(width, height, max_pixels, "A tile")
    n_pieces = len(tags.get(TiffImagePlugin.STRIPOFFSETS) or tags.get(TiffImagePlugin.TILEOFFSETS) or ())
    if n_pieces > _PIECES:
        raise ImageError(ErrorCode.TOO_MANY_PIXELS, f"{n_pieces:,} strips or tiles")
    bits = tags.get(TiffImagePlugin.SAMPLESPERPIXEL, 1) * max(tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,)))
    check_pixels(width, height, max_pixels * _BYTES_PER_PIXEL * 8 // max(bits, 1), f"A tile with {bits} bits each")
