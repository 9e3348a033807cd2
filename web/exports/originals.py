"""The files of a job in the order of the upload; neighbours in a shard are read together.

In a shard, the header with the date of a file stands before its content.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from core.base.errors import BlobMissing, NotFound
from core.cleanup import discard_originals
from core.formats.tar_headers import BLOCK, read_modified_at
from core.jobs.results import ResultRow
from core.training import datasets
from core.training.datasets import ImageLocation
from web.http.context import Services

LOOKUP_BATCH = 256
SPAN_BYTES = 4 * 2**20

Located = tuple[ResultRow, ImageLocation]


class Original(NamedTuple):
    """A file of a job.

    Attributes:
        row: Its result.
        data: Its bytes; None if it was too large to upload, or is no longer there.
        modified_at: When it was last changed, in seconds since 1970; None if that is not known.
    """

    row: ResultRow
    data: bytes | None = None
    modified_at: int | None = None


def read_originals(services: Services, rows: Iterable[ResultRow]) -> Iterator[Original]:
    """The file of each row."""
    remaining = iter(rows)
    while batch := list(islice(remaining, LOOKUP_BATCH)):
        with services.db.read() as session:
            places = datasets.find_locations(session, [row.image_id for row in batch])
        span: list[Located] = []
        for row in batch:
            place = places.get(row.image_id)
            if place is None or place.declared_bytes is not None:
                yield from _read(services, span)
                span = []
                yield Original(row)
                continue
            if span and not _fits(span, place):
                yield from _read(services, span)
                span = []
            span.append((row, place))
        yield from _read(services, span)


def read_pictures(services: Services, rows: Iterable[ResultRow]) -> Iterator[tuple[ResultRow, bytes | None]]:
    """Each row with the bytes of its picture: the original, or the preview that replaced it."""
    remaining = iter(rows)
    while batch := list(islice(remaining, LOOKUP_BATCH)):
        with services.db.read() as session:
            places = datasets.find_locations(session, [row.image_id for row in batch])
        for row in batch:
            place = places.get(row.image_id)
            if place is None or place.thumbnails_key is None:
                yield from ((one.row, one.data) for one in read_originals(services, [row]))
            else:
                yield row, _read_preview(services, place.thumbnails_key, row.ordinal)


def _read_preview(services: Services, key: str, ordinal: int) -> bytes | None:
    try:
        return discard_originals.read_thumbnail(services.blobs, key, ordinal)
    except (NotFound, BlobMissing):
        return None


def _fits(span: list[Located], place: ImageLocation) -> bool:
    first = span[0][1]
    is_after = place.blob_key == first.blob_key and place.offset >= span[-1][1].offset
    return is_after and place.offset + place.n_bytes - first.offset <= SPAN_BYTES


def _read(services: Services, span: list[Located]) -> Iterator[Original]:
    if not span:
        return
    start, last = span[0][1].offset - BLOCK, span[-1][1]
    try:
        data = services.blobs.get_range(last.blob_key, start, last.offset + last.n_bytes - start)
    except BlobMissing:
        yield from (Original(row) for row, _ in span)
        return
    for row, place in span:
        at = place.offset - start
        yield Original(row, data[at : at + place.n_bytes], read_modified_at(data[at - BLOCK : at]))
