"""The files of a job in the order of the upload; neighbours in a shard are read together.

In a shard, the header with the date of a file comes before its content.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from typing import NamedTuple

from core.base.errors import BlobMissing, NotFound
from core.cleanup import discard_originals
from core.formats.tar_headers import BLOCK, read_modified_at
from core.jobs.results import ResultRow
from core.training import datasets
from core.training.datasets import ImageLocation
from web.http.context import Services
from web.http.thumbnails import PictureFile

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


def list_pictures(services: Services, rows: Iterable[ResultRow]) -> Iterator[tuple[ResultRow, PictureFile | None]]:
    """Each row with the file of its picture, the original or the preview that replaced it; None if it is not there."""
    remaining = iter(rows)
    while batch := list(islice(remaining, LOOKUP_BATCH)):
        with services.db.read() as session:
            places = datasets.find_locations(session, [row.image_id for row in batch])
        for row in batch:
            place = places.get(row.image_id)
            yield row, None if place is None else _file_at(services, row, place)


def _file_at(services: Services, row: ResultRow, place: ImageLocation) -> PictureFile | None:
    if place.declared_bytes is not None:
        return None
    if place.thumbnails_key is None:
        return PictureFile(place.n_bytes, partial(services.blobs.read_into, place.blob_key, place.offset))
    try:
        offset, n_bytes = discard_originals.find_thumbnail(services.blobs, place.thumbnails_key, row.ordinal)
    except (NotFound, BlobMissing):
        return None
    return PictureFile(n_bytes, partial(services.blobs.read_into, place.thumbnails_key, offset))


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
