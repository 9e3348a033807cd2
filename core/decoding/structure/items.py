"""The items of an AVIF or a HEIC: the picture, its tiles and its thumbnails, with their bytes and properties.

    meta ─ pitm: the picture's item      iinf: the kind of each item      iref: which item belongs to which
           iloc: where its bytes are     iprp ─ ipma: its properties ─► ipco: all properties

Each part is read when it is first needed, so a file may lack those that nobody asks for.

Source: ISO/IEC 14496-12, section 8.11 (items); ISO/IEC 23008-12, section 9.3 (properties).
"""

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple, Self

from core.decoding.structure.bits import Bits
from core.decoding.structure.boxes import Box, boxes_by_kind, boxes_in, read_number


class Location(NamedTuple):
    """Where the bytes of an item are: offsets and lengths of its parts, in the file or in the box `idat`."""

    item: int
    is_in_store: bool
    parts: tuple[tuple[int, int], ...]


class Reference(NamedTuple):
    """What an item has to do with others: `dimg` is made of them, `thmb` is a thumbnail of them."""

    kind: bytes
    source: int
    targets: tuple[int, ...]


class Items:
    """The items of one file. Its attributes and methods raise LookupError where the file is damaged."""

    def __init__(self, data: bytes, meta: Box) -> None:
        self._data = data
        self._boxes = boxes_by_kind(data, meta.start + 4, meta.end)

    @classmethod
    def find(cls, data: bytes) -> Self | None:
        """The items of a file; None if it has none."""
        meta = next((box for box in boxes_in(data, 0, len(data)) if box.kind == b"meta"), None)
        return None if meta is None else cls(data, meta)

    @cached_property
    def primary(self) -> int:
        """The number of the picture's item."""
        pitm = self._boxes[b"pitm"]
        return read_number(self._data, pitm.start + 4, 4 if self._data[pitm.start] else 2)

    @cached_property
    def kinds(self) -> dict[int, bytes]:
        """The four letters of each item, by number."""
        iinf = self._boxes[b"iinf"]
        head = 6 if self._data[iinf.start] == 0 else 8
        kinds = {}
        for box in boxes_in(self._data, iinf.start + head, iinf.end):
            wide = self._data[box.start] >= 3
            number = read_number(self._data, box.start + 4, 4 if wide else 2)
            kinds[number] = self._data[box.start + (10 if wide else 8) :][:4]
        return kinds

    @cached_property
    def references(self) -> list[Reference]:
        """All references, in the order of the file."""
        if b"iref" not in self._boxes:
            return []
        iref = self._boxes[b"iref"]
        wide = 4 if self._data[iref.start] else 2
        found = []
        for box in boxes_in(self._data, iref.start + 4, iref.end):
            first, n = box.start + wide + 2, read_number(self._data, box.start + wide, 2)
            targets = tuple(read_number(self._data, first + wide * index, wide) for index in range(n))
            found.append(Reference(box.kind, read_number(self._data, box.start, wide), targets))
        return found

    @cached_property
    def locations(self) -> list[Location]:
        """Where the bytes of all items are; an item may be there twice."""
        return list(self._read_locations())

    def content(self, location: Location) -> bytes:
        """The bytes of an item."""
        base = self._boxes[b"idat"].start if location.is_in_store else 0
        return b"".join(self._data[base + start : base + start + (n or len(self._data))] for start, n in location.parts)

    def content_of(self, number: int) -> bytes:
        """The bytes of an item by its number."""
        return self.content({one.item: one for one in self.locations}[number])

    def properties(self, number: int) -> list[Box]:
        """The properties of an item."""
        iprp = self._boxes[b"iprp"]
        boxes = boxes_by_kind(self._data, iprp.start, iprp.end)
        ipco = boxes[b"ipco"]
        known = list(boxes_in(self._data, ipco.start, ipco.end))
        indexes = self._property_indexes(boxes[b"ipma"].start, number)
        return [known[index - 1] for index in indexes if 0 < index <= len(known)]

    def _property_indexes(self, at: int, wanted: int) -> Iterator[int]:
        """The numbers of an item's properties, from 1."""
        of_item, of_index = (4 if self._data[at] else 2), (2 if self._data[at + 3] & 1 else 1)
        n_items, at = read_number(self._data, at + 4, 4), at + 8
        for _ in range(n_items):
            item, n = read_number(self._data, at, of_item), self._data[at + of_item]
            at += of_item + 1
            for _ in range(n):
                if item == wanted:
                    yield read_number(self._data, at, of_index) & (0x7FFF if of_index == 2 else 0x7F)
                at += of_index

    def _read_locations(self) -> Iterator[Location]:
        iloc = self._boxes[b"iloc"]
        version = self._data[iloc.start]
        fields = Bits(self._data, iloc.start + 4)
        of_offset, of_length, of_base, of_index = (fields.read(4) * 8 for _ in range(4))
        for _ in range(fields.read(32 if version == 2 else 16)):
            item = fields.read(32 if version == 2 else 16)
            method = fields.read(16) & 15 if version else 0
            fields.read(16)
            base = fields.read(of_base)
            parts = []
            for _ in range(fields.read(16)):
                fields.read(of_index if version else 0)
                parts.append((base + fields.read(of_offset), fields.read(of_length)))
            yield Location(item, method == 1, tuple(parts))
