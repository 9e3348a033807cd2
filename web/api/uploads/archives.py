"""A whole archive in one request: upload, shards and job are created while it is received."""

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
@api.output(JobOut, status_code=202, description="Everything was received; the job continues")
@api.doc(
    responses={
        413: "Too large; the message states the limit",
        422: "No archive, or incomplete: then `job` has the id, and complete files are kept",
        507: "The disk is nearly full",
    },
    extensions={"x-body": "application/x-tar application/gzip application/zip"},
)
def put_archive(query_data: ArchiveQuery) -> tuple[JobOut, int, Headers]:
    """Upload a TAR, TAR.GZ or ZIP and classify it while it is received

    Links, devices, encrypted files and paths with `..` are skipped and listed. Sent again with the same id, the upload
    continues where it was interrupted.
    """
    services = get_services()
    limit = services.settings.max_upload_bytes
    body = BodyReader(
        limit,
        f"Expected an archive of at most {limit} bytes (PAWSORT_MAX_UPLOAD_BYTES). Split it into several uploads.",
    )
    services.blobs.check_room(min(body.announced, limit))
    uuid = query_data.id or uuid4()
    options = ArchiveOptions(**query_data.model_dump(exclude={"id"}))
    ArchiveReceiver(services, uuid, options, current_user_id()).receive(body.read)
    with services.db.read() as session:
        view = describe(session, jobs.get_job(session, uuid))
    return JobOut.from_view(view), 202, Headers({"Location": url_for("jobs.get_job", job_uuid=uuid)})
