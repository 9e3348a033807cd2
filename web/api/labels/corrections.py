"""Folders that people rearranged, as corrections: an archive, or a list of paths and hashes. Nothing is stored."""

import hashlib
import json
from collections.abc import Callable, Iterator
from uuid import UUID, uuid4

from apiflask import APIBlueprint
from flask import request

from core.base.config import Settings
from core.base.errors import Invalid
from core.formats.archives import File, read_archive
from core.jobs import jobs
from core.review import corrected_folders
from core.review.corrected_folders import Corrected
from web.http.auth import current_user_id
from web.http.context import Services, get_services
from web.receiving.bodies import BodyReader
from web.schemas.labels import CorrectionsOut, CorrectionsQuery

api = APIBlueprint("corrections", __name__, url_prefix="/api/v1/jobs", tag="Labels")

LIST_TYPES = ("application/jsonl", "application/x-ndjson")
READ_BYTES = 2**18
MAX_LINE_BYTES = 2**16
SHA256_BYTES = 32

Read = Callable[[int], bytes]


@api.post("/<uuid:job_uuid>/corrections")
@api.input(CorrectionsQuery, location="query")
@api.output(CorrectionsOut)
@api.doc(
    responses={413: "A limit was passed; the sentence names it", 422: "No archive and no such list, or it broke off"},
    extensions={"x-body": "application/x-tar application/gzip application/zip application/jsonl"},
)
def post_corrections(job_uuid: UUID, query_data: CorrectionsQuery) -> CorrectionsOut:
    """Read a sorted zip or folder that people rearranged as corrections, by content

    The nearest folder named after a class or `neither` is the label; `unsure` says nothing. Where that is what is shown
    already, nothing is written. Only hashes and folders' names are read. Instead of an archive: JSON Lines of
    `{"path": …, "sha256": …}` (64 hexadecimal digits).
    """
    services = get_services()
    limit = services.settings.max_upload_bytes
    body = BodyReader(limit, f"An archive may have {limit} bytes (PAWSORT_MAX_UPLOAD_BYTES). Send it in parts.")
    with services.db.read() as session:
        jobs.get_job(session, job_uuid)  # before gigabytes are read
    files = read_list(body.read) if request.mimetype in LIST_TYPES else hash_files(body.read, services.settings)
    found = correct(services, job_uuid, query_data.id or uuid4(), files)
    return CorrectionsOut.model_validate(found, from_attributes=True)


def correct(services: Services, job_uuid: UUID, batch_uuid: UUID, files: Iterator[tuple[str, bytes]]) -> Corrected:
    """What `core.review.corrected_folders.correct` does, for the present user."""
    return corrected_folders.correct(services.db, job_uuid, batch_uuid, current_user_id(), files)


def hash_files(read: Read, settings: Settings) -> Iterator[tuple[str, bytes]]:
    """Path and SHA-256 of each file of an archive that streams in.

    Raises:
        ArchiveError, TooLarge: As `read_archive`.
    """
    limits = {"max_image_bytes": settings.max_image_bytes, "max_upload_bytes": settings.max_upload_bytes}
    for item in read_archive(read, **limits):
        if isinstance(item, File):
            yield item.path, hashlib.sha256(item.data or b"").digest()


def read_list(read: Read) -> Iterator[tuple[str, bytes]]:
    """Path and SHA-256 from each line of a list.

    Raises:
        Invalid: A line is something else; the sentence names it.
    """
    for number, line in enumerate(_lines(read), start=1):
        try:
            entry = json.loads(line)
            path, sha256 = entry["path"], bytes.fromhex(entry["sha256"])
        except (ValueError, TypeError, KeyError, RecursionError):
            path, sha256 = None, b""
        if not isinstance(path, str) or len(sha256) != SHA256_BYTES:
            raise Invalid(
                f'Line {number}: expected {{"path": "cat/a.jpg", "sha256": 64 hexadecimal digits}} and got something'
                " else. Nothing was written."
            )
        yield path, sha256


def _lines(read: Read) -> Iterator[bytes]:
    rest = b""
    while block := read(READ_BYTES):
        *lines, rest = (rest + block).split(b"\n")
        if len(rest) > MAX_LINE_BYTES:
            raise Invalid(f"A line has more than {MAX_LINE_BYTES} bytes, the limit. Send one file a line.")
        yield from (line for line in lines if line.strip())
    if rest.strip():
        yield rest
