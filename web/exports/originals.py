"""The bytes of a job's files, read in the order of the upload: neighbours in a shard together, a few MiB at a time."""

from collections.abc import Iterable, Iterator
from itertools import islice

from core.base.errors import BlobMissing, NotFound
from core.cleanup import discard_originals
from core.jobs.results import ResultRow
from core.training import datasets
from core.training.datasets import ImageLocation
from web.http.context import Services

LOOKED_UP = 256
SPAN_BYTES = 4 * 2**20

Located = tuple[ResultRow, ImageLocation]


def read_originals(services: Services, rows: Iterable[ResultRow]) -> Iterator[tuple[ResultRow, bytes | None]]:
    """Each row with its file's bytes; None for what was too large to be sent, or is not there any more."""
    left = iter(rows)
    while some := list(islice(left, LOOKED_UP)):
        with services.db.read() as session:
            places = datasets.find_locations(session, [row.image_id for row in some])
        span: list[Located] = []
        for row in some:
            place = places.get(row.image_id)
            if place is None or place.declared_bytes is not None:
                yield from _read(services, span)
                span = []
                yield row, None
                continue
            if span and not _fits(span, place):
                yield from _read(services, span)
                span = []
            span.append((row, place))
        yield from _read(services, span)


def read_pictures(services: Services, rows: Iterable[ResultRow]) -> Iterator[tuple[ResultRow, bytes | None]]:
    """Each row with bytes of its picture: the original, or the small one that was kept of it."""
    left = iter(rows)
    while some := list(islice(left, LOOKED_UP)):
        with services.db.read() as session:
            places = datasets.find_locations(session, [row.image_id for row in some])
        for row in some:
            place = places.get(row.image_id)
            if place is None or place.thumbnails_key is None:
                yield from read_originals(services, [row])
            else:
                yield row, _read_small(services, place.thumbnails_key, row.ordinal)


def _read_small(services: Services, key: str, ordinal: int) -> bytes | None:
    try:
        return discard_originals.read_thumbnail(services.blobs, key, ordinal)
    except (NotFound, BlobMissing):
        return None


def _fits(span: list[Located], place: ImageLocation) -> bool:
    first = span[0][1]
    is_after = place.blob_key == first.blob_key and place.offset >= span[-1][1].offset
    return is_after and place.offset + place.n_bytes - first.offset <= SPAN_BYTES


def _read(services: Services, span: list[Located]) -> Iterator[tuple[ResultRow, bytes | None]]:
    if not span:
        return
    start, last = span[0][1].offset, span[-1][1]
    try:
        data = services.blobs.get_range(last.blob_key, start, last.offset + last.n_bytes - start)
    except BlobMissing:
        yield from ((row, None) for row, _ in span)
        return
    for row, place in span:
        yield row, data[place.offset - start : place.offset - start + place.n_bytes]
