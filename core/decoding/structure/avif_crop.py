"""The clean aperture of an AVIF: the part of its frame that is the picture, which decoders leave to their callers.

Source: ISO/IEC 14496-12, section 12.1.4 (clap).
"""

import struct
from fractions import Fraction

from core.decoding.structure.boxes import Box
from core.decoding.structure.items import Items

_CLAP = struct.Struct(">4IiIiI")  # width, height, offsets across and down; each a fraction


def find_crop(data: bytes, width: int, height: int) -> tuple[int, int, int, int] | None:
    """Left, top, right and bottom of the picture in its frame; None if it is all of it, or the property is wrong.

    Args:
        data: The file.
        width: Of the frame, before it is turned.
        height: Of the frame.
    """
    try:
        items = Items.find(data)
        properties = items.properties(items.primary) if items else []
        clap = next((box for box in properties if box.kind == b"clap"), None)
        return None if clap is None else _crop(data, clap, width, height)
    except (LookupError, ZeroDivisionError, struct.error):  # decoders show such a picture whole
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
