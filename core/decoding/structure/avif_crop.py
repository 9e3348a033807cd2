"""The clean aperture of an AVIF: the part of its frame that is the picture, which decoders leave to their callers.

    meta ─ pitm: the picture's item;  iprp ─ ipma: its properties ─► ipco: all properties ─ clap: width, height, centre

Source: ISO/IEC 14496-12, section 12.1.4 (clap); ISO/IEC 23008-12, section 9.3 (item properties).
"""

import struct
from collections.abc import Iterator
from fractions import Fraction

from core.decoding.structure.avif import Box, boxes_in, read_number

_CLAP = struct.Struct(">4IiIiI")  # width, height, offsets across and down; each a fraction


def find_crop(data: bytes, width: int, height: int) -> tuple[int, int, int, int] | None:
    """Left, top, right and bottom of the picture in its frame; None if it is all of it, or the property is wrong.

    Args:
        data: The file.
        width: Of the frame, before it is turned.
        height: Of the frame.
    """
    try:
        clap = next((box for box in _properties(data) if box.kind == b"clap"), None)
        return None if clap is None else _crop(data, clap, width, height)
    except (IndexError, ZeroDivisionError, struct.error):  # decoders show such a picture whole
        return None


def _crop(data: bytes, clap: Box, width: int, height: int) -> tuple[int, int, int, int] | None:
    numbers = _CLAP.unpack_from(data, clap.start)
    wide, high, across, down = (Fraction(*numbers[n : n + 2]) for n in range(0, 8, 2))
    left, top = (width - wide) / 2 + across, (height - high) / 2 + down
    right, bottom = left + wide, top + high
    is_inside = 0 <= left < right <= width and 0 <= top < bottom <= height
    if not is_inside or any(edge.denominator != 1 for edge in (left, top, right, bottom)):
        return None
    return int(left), int(top), int(right), int(bottom)


def _properties(data: bytes) -> Iterator[Box]:
    """The properties of the picture's item."""
    meta = next((box for box in boxes_in(data, 0, len(data)) if box.kind == b"meta"), None)
    if meta is None:
        return
    boxes = {box.kind: box for box in boxes_in(data, meta.start + 4, meta.end)}
    if b"pitm" not in boxes or b"iprp" not in boxes:
        return
    pitm = boxes[b"pitm"]
    item = read_number(data, pitm.start + 4, 4 if data[pitm.start] else 2)
    of_items = {box.kind: box for box in boxes_in(data, boxes[b"iprp"].start, boxes[b"iprp"].end)}
    if b"ipco" not in of_items or b"ipma" not in of_items:
        return
    properties = list(boxes_in(data, of_items[b"ipco"].start, of_items[b"ipco"].end))
    for index in _indexes(data, of_items[b"ipma"].start, item):
        if 0 < index <= len(properties):
            yield properties[index - 1]


def _indexes(data: bytes, at: int, wanted: int) -> Iterator[int]:
    """The numbers of an item's properties, from 1."""
    of_item, of_index = (4 if data[at] else 2), (2 if data[at + 3] & 1 else 1)
    n_items, at = read_number(data, at + 4, 4), at + 8
    for _ in range(n_items):
        item, n = read_number(data, at, of_item), data[at + of_item]
        at += of_item + 1
        for _ in range(n):
            if item == wanted:
                yield read_number(data, at, of_index) & (0x7FFF if of_index == 2 else 0x7F)
            at += of_index
