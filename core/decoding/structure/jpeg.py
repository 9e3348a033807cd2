"""The frame and the scans of a JPEG, found by its markers.

    SOI ─ segments ─ SOF (size, components) ─ segments ─ SOS ─ entropy-coded data ─ … ─ SOS ─ data ─ EOI

A marker is 0xFF and a byte that is neither 0x00 nor 0xFF. In entropy-coded data 0xFF is followed by 0x00, and the
restart markers (RST) do not end a scan, so that the first other marker does. Source: ITU-T T.81, annex B.
"""

import re
from typing import NamedTuple

_MARKER = re.compile(rb"\xff([^\x00\xff])", re.DOTALL)
_END_OF_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_ARITHMETIC = 0xC8  # frames from here on
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a segment: TEM, the restart markers, SOI
_EOI, _SOS = 0xD9, 0xDA


class Component(NamedTuple):
    """One colour component, with its sampling factors."""

    id: int
    horizontal: int
    vertical: int


class Scan(NamedTuple):
    """One pass over some components: which coefficients, and to which bit.

    Attributes:
        components: Indices into the frame's components.
        first: Index of the first coefficient in zigzag order; 0 is the mean of a block (DC).
        last: Index of the last one.
        is_first_pass: Whether it brings these coefficients for the first time, not one more bit of them.
        low_bit: The lowest bit that it brings; 0 when nothing is left for later scans.
        end: Offset just behind its data: of the next marker, or the length of a file that ends in it.
    """

    components: tuple[int, ...]
    first: int
    last: int
    is_first_pass: bool
    low_bit: int
    end: int


class _Frame(NamedTuple):
    width: int
    height: int
    components: tuple[Component, ...]
    is_progressive: bool
    is_arithmetic: bool


class JpegStructure(NamedTuple):
    """One JPEG as its markers describe it.

    Attributes:
        is_progressive: Whether its scans bring the coefficients in parts.
        is_arithmetic: Whether it is coded arithmetically rather than with Huffman's codes.
        scans: In the order of the file, up to the end mark.
        is_closed: Whether an end mark follows the last scan.
    """

    width: int
    height: int
    components: tuple[Component, ...]
    is_progressive: bool
    is_arithmetic: bool
    scans: tuple[Scan, ...]
    is_closed: bool

    @property
    def is_buffered(self) -> bool:
        """Whether a decoder has to keep all coefficients at full size, because they come in several scans."""
        return self.is_progressive or len(self.scans[0].components) < len(self.components)

    @property
    def mcu_size(self) -> tuple[int, int]:
        """Width and height in pixels of the smallest unit that all components complete (MCU)."""
        if len(self.components) == 1:
            return 8, 8
        return 8 * max(c.horizontal for c in self.components), 8 * max(c.vertical for c in self.components)

    def area(self, scan: Scan) -> int:
        """How many coefficients one pass of a scan goes over, 64 for each block."""
        widest, highest = max(c.horizontal for c in self.components), max(c.vertical for c in self.components)
        shares = (c.horizontal * c.vertical for c in (self.components[index] for index in scan.components))
        return self.width * self.height * sum(shares) // (widest * highest)


def read_structure(data: bytes) -> JpegStructure | None:
    """The structure of a JPEG; None where there is no frame with a scan, which no decoder can read."""
    frame: _Frame | None = None
    scans: list[Scan] = []
    at, is_closed = 2, False
    while (found := _MARKER.search(data, at)) is not None:
        marker, at = data[found.start(1)], found.end()
        if marker in _ALONE:
            continue
        segment = data[at + 2 : at + int.from_bytes(data[at : at + 2], "big")]
        if marker in _FRAMES and frame is None:
            frame = _read_frame(marker, segment)
        elif marker == _SOS and frame is not None:
            at = _end_of_scan(data, at + 2 + len(segment))
            scan = _read_scan(segment, frame.components, at)
            if scan is None:
                return None
            scans.append(scan)
            continue
        elif marker == _EOI:
            is_closed = True
            break
        at += 2 + len(segment)
    return JpegStructure(*frame, tuple(scans), is_closed) if frame and scans else None


def _end_of_scan(data: bytes, start: int) -> int:
    end = _END_OF_SCAN.search(data, start)
    return end.start() if end else len(data)


def _read_frame(marker: int, segment: bytes) -> _Frame | None:
    if len(segment) < 6:
        return None
    height, width = int.from_bytes(segment[1:3], "big"), int.from_bytes(segment[3:5], "big")
    parts = (segment[start : start + 3] for start in range(6, 6 + 3 * segment[5], 3))
    components = tuple(Component(part[0], part[1] >> 4 or 1, part[1] & 15 or 1) for part in parts if len(part) == 3)
    return _Frame(width, height, components, marker in _PROGRESSIVE, marker >= _ARITHMETIC) if components else None


def _read_scan(segment: bytes, components: tuple[Component, ...], end: int) -> Scan | None:
    n = segment[0] if segment else 0
    if not 1 <= n <= 4 or len(segment) < 4 + 2 * n:
        return None
    ids = [component.id for component in components]
    chosen = tuple(ids.index(id_) for id_ in segment[1 : 1 + 2 * n : 2] if id_ in ids)
    first, last, bits = segment[1 + 2 * n : 4 + 2 * n]
    return Scan(chosen, first, last, bits >> 4 == 0, bits & 15, end) if chosen else None
