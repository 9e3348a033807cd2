"""Loading a HEIC: its thumbnail where that is large enough and shows the same picture, else all of it.

The photographs of phones are grids of tiles with a thumbnail, often of 320 x 240 pixels, and it takes most of a second
to decode all tiles. Programs that edit a photograph may leave the thumbnail as it was, so a few tiles are decoded
and compared with it. Files without tiles or without a thumbnail are decoded whole.
"""

import struct
from collections.abc import Iterator
from statistics import fmean

from PIL import Image, ImageChops, ImageStat

from core.base.errors import ErrorCode, ImageError
from core.decoding.limits import check_opened, check_pixels
from core.decoding.loading.picture import Picture, Size
from core.decoding.opening import open_image
from core.decoding.structure.heif import Grid, Heif
from core.decoding.structure.items import Items

_OTHER_CODECS = {
    b"avc1": "AVC",
    b"evc1": "EVC",
    b"j2k1": "JPEG 2000",
    b"jpeg": "JPEG",
    b"unci": "uncompressed pixels",
    b"vvc1": "VVC",
}
_MOST_TILES = 2  # times the pixels of the largest picture: tiles reach beyond its edges
_PLACES = ((0.5, 0.5), (0.2, 0.2), (0.8, 0.2), (0.2, 0.8), (0.8, 0.8))  # of the tiles that are compared
_CELLS = (6, 6)  # of which the mean colours of a tile and of its place in the thumbnail are compared
_MOST_DIFFERENT = 10.0  # of 255, in the mean over a tile's cells: of 24 photographs at most 4.3, of others at least 64


def load_heif(data: bytes, size_of: Size, max_pixels: int) -> Picture:
    """Load a HEIC, or its thumbnail if that is at least of the size that is wanted.

    Raises:
        ImageError: `too_many_pixels` or `unsupported_format`.
        Exception: Whatever Pillow raises for a broken file.
    """
    heif, grid = _read_grid(data)
    if name := heif and _OTHER_CODECS.get(heif.find_codec(grid)):
        raise ImageError(ErrorCode.UNSUPPORTED_FORMAT, f"HEIF with {name} inside")
    image = open_image(data)
    check_opened(image, max_pixels)
    width, height = image.size
    if heif and grid:
        _check_tiles(grid, max_pixels)
        if image.draft(None, size_of(width, height)) and not _is_like_its_tiles(image.size, heif, grid):
            image = open_image(data)
    image.load()
    return Picture(image, width, height)


def _read_grid(data: bytes) -> tuple[Heif | None, Grid | None]:
    """The parts of a file and its grid, if it has them and they can be read."""
    try:
        items = Items.find(data)
        heif = Heif(data, items) if items else None
        return heif, heif.find_grid() if heif else None
    except (LookupError, struct.error):
        return None, None


def _check_tiles(grid: Grid, max_pixels: int) -> None:
    """Whole tiles are decoded, however small the picture is."""
    width, height = grid.tile_size
    check_pixels(width * grid.n_columns, height * grid.n_rows, _MOST_TILES * max_pixels, "A grid of tiles")


def _is_like_its_tiles(size: tuple[int, int], heif: Heif, grid: Grid) -> bool:
    """Whether some tiles show the same as the thumbnail of this size."""
    try:
        number = heif.find_thumbnail(size)
        if number is None:
            return False
        pairs = _pairs(_decode(heif.extract(number)), heif, grid)
        return all(_differ(*pair) <= _MOST_DIFFERENT for pair in pairs)
    except (ArithmeticError, EOFError, LookupError, OSError, SyntaxError, ValueError, struct.error):
        return False


def _pairs(thumbnail: Image.Image, heif: Heif, grid: Grid) -> Iterator[tuple[Image.Image, Image.Image]]:
    """Some tiles that lie within the picture, and what the thumbnail has in their places, both as few cells."""
    (width, height), (wide, high) = grid.size, grid.tile_size
    across, down = thumbnail.width / width, thumbnail.height / height
    for column, row in {(int(x * (width // wide)), int(y * (height // high))) for x, y in _PLACES}:
        tile = _decode(heif.extract(grid.tiles[row * grid.n_columns + column]))
        left, top = column * wide * across, row * high * down
        box = (left, top, left + wide * across, top + high * down)
        yield tile.resize(_CELLS, Image.Resampling.BOX), thumbnail.resize(_CELLS, Image.Resampling.BOX, box=box)


def _differ(one: Image.Image, other: Image.Image) -> float:
    return fmean(ImageStat.Stat(ImageChops.difference(one, other)).mean)


def _decode(data: bytes) -> Image.Image:
    image = open_image(data)
    image.load()
    return image.convert("RGB")
