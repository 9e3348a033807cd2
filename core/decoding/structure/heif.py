"""The tiles and thumbnails of a HEIC, each as a file of its own that a decoder can read.

Phones divide a photograph into tiles, whose places a grid has, and put a thumbnail next to it.

Source: ISO/IEC 23008-12, section 6.6.2.3 (grid), and annex B (items coded by HEVC).
"""

import struct
from typing import NamedTuple

from core.decoding.structure.boxes import read_number
from core.decoding.structure.items import Items

_CODED = b"hvc1"
_CHANGES = (b"irot", b"imir", b"clap")  # what is done to a picture after it was decoded


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


_HEAD = _box(b"ftyp", b"heic" + bytes(4) + b"mif1heic")
_HANDLER = _box(b"hdlr", bytes(8) + b"pict" + bytes(13))
_PRIMARY = _box(b"pitm", struct.pack(">IH", 0, 1))
_ENTRY = _box(b"infe", struct.pack(">IHH4sB", 2 << 24, 1, 0, _CODED, 0))
_ENTRIES = _box(b"iinf", struct.pack(">IH", 0, 1) + _ENTRY)
_LOCATION = struct.Struct(">IBBHHHHII")  # of one item with one part


class Grid(NamedTuple):
    """A picture of tiles, before it is turned.

    Attributes:
        size: Width and height in pixels; the last tiles may reach beyond.
        tile_size: Of each tile.
        n_columns: Of tiles.
        n_rows: Of tiles.
        tiles: The numbers of their items, row by row.
    """

    size: tuple[int, int]
    tile_size: tuple[int, int]
    n_columns: int
    n_rows: int
    tiles: tuple[int, ...]


class Heif:
    """The parts of one HEIC. Its methods raise LookupError or struct.error where the file is damaged."""

    def __init__(self, data: bytes, items: Items) -> None:
        self._data = data
        self._items = items

    def find_grid(self) -> Grid | None:
        """The picture's grid; None if it is not made of tiles."""
        primary = self._items.primary
        if self._items.kinds[primary] != b"grid":
            return None
        head = self._items.content_of(primary)
        width, height = struct.unpack_from(">II" if head[1] & 1 else ">HH", head, 4)
        tiles = {one.source: one.targets for one in self._items.references if one.kind == b"dimg"}[primary]
        return Grid((width, height), self.size_of(tiles[0]), head[3] + 1, head[2] + 1, tiles)

    def find_codec(self, grid: Grid | None) -> bytes:
        """How the picture, or each tile of its grid, is coded: the four letters of its item."""
        return self._items.kinds.get(grid.tiles[0] if grid else self._items.primary, b"")

    def find_thumbnail(self, size: tuple[int, int]) -> int | None:
        """The number of the thumbnail that has this size, perhaps after a turn."""
        primary = self._items.primary
        thumbnails = (one.source for one in self._items.references if one.kind == b"thmb" and primary in one.targets)
        return next((number for number in thumbnails if sorted(self.size_of(number)) == sorted(size)), None)

    def size_of(self, number: int) -> tuple[int, int]:
        """Width and height of an item before it is turned."""
        ispe = {box.kind: box for box in self._items.properties(number)}[b"ispe"]
        return read_number(self._data, ispe.start + 4, 4), read_number(self._data, ispe.start + 8, 4)

    def extract(self, number: int) -> bytes:
        """A file with one coded item, which is neither turned nor cropped."""
        kept = [box for box in self._items.properties(number) if box.kind not in _CHANGES]
        properties = b"".join(_box(box.kind, self._data[box.start : box.end]) for box in kept)
        associations = struct.pack(">IIHB", 0, 1, 1, len(kept)) + bytes(range(1, len(kept) + 1))
        described = _box(b"iprp", _box(b"ipco", properties) + _box(b"ipma", associations))
        parts = b"".join((bytes(4), _HANDLER, _PRIMARY, _ENTRIES, described))
        content = self._items.content_of(number)
        start = len(_HEAD) + 8 + len(parts) + 8 + _LOCATION.size + 8
        location = _box(b"iloc", _LOCATION.pack(0, 0x44, 0, 1, 1, 0, 1, start, len(content)))
        return _HEAD + _box(b"meta", parts + location) + _box(b"mdat", content)
