"""The sizes of the frames in an AVIF, from the headers of its AV1 streams.

An AVIF's boxes say how large it is, and the streams inside say it again. Decoders go by the stream, so that one counts.

    ftyp ─ meta ─ iinf: items of type av01; iloc: where their bytes are ─► AV1 units ─► sequence header: largest frame
           moov ─ trak … stbl: where the first sample of a track is    ─┘

Source: ISO/IEC 14496-12 (boxes), ISO/IEC 23008-12 (items), AV1 bitstream specification, sections 5.3 to 5.5.
"""

from collections.abc import Iterator
from typing import NamedTuple

from core.decoding.structure.bits import Bits

_SEQUENCE_HEADER = 1
_TO_SAMPLES = (b"mdia", b"minf", b"stbl")


class Box(NamedTuple):
    """A box: its four letters, and where its body is."""

    kind: bytes
    start: int
    end: int


def frame_sizes(data: bytes) -> list[tuple[int, int]]:
    """Width and height of the largest frame that each AV1 stream of a file may have; empty where there is no stream."""
    try:
        return [size for stream in _streams(data) for size in _sequence_sizes(stream)]
    except IndexError:  # a header ends before its last field
        return []


def _streams(data: bytes) -> Iterator[bytes]:
    for box in boxes_in(data, 0, len(data)):
        if box.kind == b"meta":
            yield from _items(data, box)
        elif box.kind == b"moov":
            tracks = (track for track in boxes_in(data, box.start, box.end) if track.kind == b"trak")
            yield from (sample for track in tracks if (sample := _first_sample(data, track)))


def boxes_in(data: bytes, start: int, end: int) -> Iterator[Box]:
    """The boxes between two offsets."""
    while end - start >= 8:
        size, kind, head = read_number(data, start, 4), data[start + 4 : start + 8], 8
        if size == 1:
            size, head = read_number(data, start + 8, 8), 16
        size = size or end - start  # 0: to the end
        if size < head:
            return
        yield Box(kind, start + head, min(start + size, end))
        start += size


def read_number(data: bytes, start: int, n_bytes: int) -> int:
    """A big-endian number.

    Raises:
        IndexError: The data ends before it.
    """
    if start + n_bytes > len(data):
        raise IndexError
    return int.from_bytes(data[start : start + n_bytes], "big")


def _items(data: bytes, meta: Box) -> Iterator[bytes]:
    """The bytes of each item that is an AV1 stream."""
    boxes = {box.kind: box for box in boxes_in(data, meta.start + 4, meta.end)}
    if b"iinf" not in boxes or b"iloc" not in boxes:
        return
    streams = set(_stream_items(data, boxes[b"iinf"]))
    store = boxes.get(b"idat")
    for item, in_store, extents in _locations(data, boxes[b"iloc"]):
        if item in streams:
            base = store.start if in_store and store else 0
            yield b"".join(data[base + start : base + start + (n or len(data))] for start, n in extents)


def _stream_items(data: bytes, iinf: Box) -> Iterator[int]:
    head = 6 if data[iinf.start] == 0 else 8
    for box in boxes_in(data, iinf.start + head, iinf.end):
        wide = data[box.start] >= 3
        if data[box.start + (10 if wide else 8) :][:4] == b"av01":
            yield read_number(data, box.start + 4, 4 if wide else 2)


def _locations(data: bytes, iloc: Box) -> Iterator[tuple[int, bool, list[tuple[int, int]]]]:
    """Each item's number, whether it lies in the meta box, and the offsets and lengths of its parts."""
    version = data[iloc.start]
    fields = Bits(data, iloc.start + 4)
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
        yield item, method == 1, parts


def _first_sample(data: bytes, track: Box) -> bytes:
    box = track
    for kind in _TO_SAMPLES:
        inner = next((inner for inner in boxes_in(data, box.start, box.end) if inner.kind == kind), None)
        if inner is None:
            return b""
        box = inner
    tables = {table.kind: table for table in boxes_in(data, box.start, box.end)}
    offsets, sizes = tables.get(b"stco") or tables.get(b"co64"), tables.get(b"stsz")
    if offsets is None or sizes is None or not read_number(data, offsets.start + 4, 4):
        return b""
    start = read_number(data, offsets.start + 8, 4 if offsets.kind == b"stco" else 8)
    n_bytes = read_number(data, sizes.start + 4, 4) or read_number(data, sizes.start + 12, 4)
    return data[start : start + n_bytes]


def _sequence_sizes(stream: bytes) -> Iterator[tuple[int, int]]:
    at = 0
    while at < len(stream):
        head = stream[at]
        at += 2 if head & 4 else 1
        n_bytes = len(stream) - at
        if head & 2:
            n_bytes, at = _leb128(stream, at)
        if head >> 3 & 15 == _SEQUENCE_HEADER:
            yield _read_sequence_header(Bits(stream, at))
        at += n_bytes


def _leb128(stream: bytes, at: int) -> tuple[int, int]:
    value = 0
    for index in range(8):
        byte = stream[at + index]
        value |= (byte & 127) << (7 * index)
        if byte < 128:
            break
    return value, at + index + 1


def _read_sequence_header(bits: Bits) -> tuple[int, int]:
    bits.read(4)  # profile, still picture
    if bits.read(1):  # reduced header
        bits.read(5)
    else:
        _skip_timing_and_operating_points(bits)
    of_width, of_height = bits.read(4) + 1, bits.read(4) + 1
    return bits.read(of_width) + 1, bits.read(of_height) + 1


def _skip_timing_and_operating_points(bits: Bits) -> None:
    of_delay = 0
    if bits.read(1):  # timing
        bits.read(64)
        if bits.read(1):
            bits.skip_uvlc()
        if bits.read(1):  # decoder model
            of_delay = bits.read(5) + 1
            bits.read(32 + 5 + 5)
    has_display_delay = bits.read(1)
    for _ in range(bits.read(5) + 1):
        bits.read(12)
        if bits.read(5) > 7:
            bits.read(1)
        if of_delay and bits.read(1):
            bits.read(2 * of_delay + 1)
        if has_display_delay and bits.read(1):
            bits.read(4)
