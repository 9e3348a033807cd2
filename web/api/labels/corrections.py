"""Folders that people rearranged, as corrections: an archive, or a list of paths and hashes. Nothing is stored."""

from uuid import UUID, uuid4

from apiflask import APIBlueprint
from flask import request

from core.jobs import jobs
from core.review import corrected_folders
from web.http.auth import current_user_id
from web.http.context import get_services
from web.receiving.bodies import BodyReader
from web.receiving.corrections import hash_files, read_list
from web.schemas.labels import CorrectionsOut, CorrectionsQuery

api = APIBlueprint("corrections", __name__, url_prefix="/api/v1/jobs", tag="Labels")

LIST_TYPES = ("application/jsonl", "application/x-ndjson")


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
    found = corrected_folders.import_corrections(
        services.db, job_uuid, query_data.id or uuid4(), current_user_id(), files
    )
    return CorrectionsOut.model_validate(found, from_attributes=True)
