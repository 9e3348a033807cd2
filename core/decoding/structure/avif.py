"""The sizes of the frames in an AVIF, from the headers of its AV1 streams.

An AVIF's boxes say how large it is, and the streams inside say it again. Decoders go by the stream, so that one counts.

    ftyp ─ meta ─ items of type av01                                   ─► AV1 units ─► sequence header: largest frame
           moov ─ trak … stbl: where the first sample of a track is    ─┘

Source: ISO/IEC 14496-12 (tracks), AV1 bitstream specification, sections 5.3 to 5.5.
"""

from collections.abc import Iterator

from core.decoding.structure.bits import Bits
from core.decoding.structure.boxes import Box, boxes_by_kind, boxes_in, read_number
from core.decoding.structure.items import Items

_SEQUENCE_HEADER = 1
_TO_SAMPLES = (b"mdia", b"minf", b"stbl")


def frame_sizes(data: bytes) -> list[tuple[int, int]]:
    """Width and height of the largest frame that each AV1 stream of a file may have; empty where there is no stream."""
    try:
        return [size for stream in _streams(data) for size in _sequence_sizes(stream)]
    except LookupError:  # a header ends before its last field, or a box is missing
        return []


def _streams(data: bytes) -> Iterator[bytes]:
    for box in boxes_in(data, 0, len(data)):
        if box.kind == b"meta":
            items = Items(data, box)
            yield from (items.content(one) for one in items.locations if items.kinds.get(one.item) == b"av01")
        elif box.kind == b"moov":
            tracks = (track for track in boxes_in(data, box.start, box.end) if track.kind == b"trak")
            yield from (sample for track in tracks if (sample := _first_sample(data, track)))


def _first_sample(data: bytes, track: Box) -> bytes:
    box = track
    for kind in _TO_SAMPLES:
        inner = next((inner for inner in boxes_in(data, box.start, box.end) if inner.kind == kind), None)
        if inner is None:
            return b""
        box = inner
    tables = boxes_by_kind(data, box.start, box.end)
    offsets, sizes = tables.get(b"stco") or tables.get(b"co64"), tables.get(b"stsz")
    if offsets is None or sizes is None or not read_number(data, offsets.start + 4, 4):
        return b""
    if data[tables[b"stsd"].start + 12 :][:4] != b"av01":
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
