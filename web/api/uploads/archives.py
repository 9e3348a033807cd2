"""A whole archive in one request: upload, shards, job and completion, while it streams in."""

from uuid import uuid4

from apiflask import APIBlueprint
from flask import url_for
from werkzeug.datastructures import Headers

from core.jobs import jobs
from core.jobs.progress import describe
from web.http.auth import current_user_id
from web.http.context import get_services
from web.receiving.archives import ArchiveOptions, ArchiveReceiver
from web.receiving.bodies import BodyReader
from web.schemas.jobs import JobOut
from web.schemas.uploads import ArchiveQuery

api = APIBlueprint("archives", __name__, url_prefix="/api/v1/archives", tag="Uploads")


@api.put("")
@api.post("")
@api.input(ArchiveQuery, location="query")
@api.output(JobOut, status_code=202, description="Everything has arrived; the job goes on")
@api.doc(
    responses={
        413: "A limit was passed; the sentence names it",
        422: "No archive, or it broke off: then `job` has the id, and what arrived whole stays",
        507: "The disk is nearly full",
    },
    extensions={"x-body": "application/x-tar application/gzip application/zip"},
)
def put_archive(query_data: ArchiveQuery) -> tuple[JobOut, int, Headers]:
    """Send a tar, a tar.gz or a zip and have it classified while it arrives

    Links, devices, climbing paths and encrypted files are skipped and named. Sent again under the same id, it goes on
    where it broke off.
    """
    services = get_services()
    limit = services.settings.max_upload_bytes
    body = BodyReader(
        limit, f"An archive may have {limit} bytes (PAWSORT_MAX_UPLOAD_BYTES). Send it in parts, as several uploads."
    )
    services.blobs.check_room(min(body.announced, limit))
    uuid = query_data.id or uuid4()
    options = ArchiveOptions(**query_data.model_dump(exclude={"id"}))
    ArchiveReceiver(services, uuid, options, current_user_id()).receive(body.read)
    with services.db.read() as session:
        view = describe(session, jobs.get_job(session, uuid))
    return JobOut.from_view(view), 202, Headers({"Location": url_for("jobs.get_job", job_uuid=uuid)})
