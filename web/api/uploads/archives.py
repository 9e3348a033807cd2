"""A whole archive in one request: upload, shards and job are created while it is received."""

from uuid import uuid4

from apiflask import APIBlueprint
from flask import request, url_for
from werkzeug.datastructures import Headers

from core.accounts.rights import Right
from core.formats.archives.entries import SkippedEntry
from core.jobs import jobs
from core.jobs.progress import describe
from web.http.context import get_services
from web.http.limits.at_once import Work, works
from web.http.multipart import MAX_FORM_BYTES, FileForm
from web.http.openapi.files import FORM, file_body
from web.http.rights import current_actor, needs
from web.receiving.archives import ArchiveOptions, ArchiveReceiver, SkippedSummary
from web.receiving.bodies import BodyReader
from web.receiving.quotas import check_quota
from web.schemas.jobs import JobOut
from web.schemas.uploads import ArchiveJobOut, ArchiveQuery, Skipped, SkippedOut

api = APIBlueprint("archives", __name__, url_prefix="/api/v1/archives", tag="Uploads")


@api.put("", endpoint="put_archive")
@api.post("", endpoint="upload_archive")
@needs(Right.SEND, own=True)
@api.input(ArchiveQuery, location="query")
@api.output(ArchiveJobOut, status_code=202, description="Everything was received; the job continues")
@api.doc(
    responses={
        404: "No such version",
        409: "Another job has this id, or its upload is complete",
        410: "The job with this id was deleted",
        413: "Too large, or more than your quota; the message states the limit",
        422: "No archive, or incomplete: then `job` has the id, and complete files are kept",
        507: "The disk is nearly full",
    },
    extensions=file_body("application/x-tar", "application/gzip", "application/zip", FORM),
)
@works(Work.ARCHIVE)
def upload_archive(query_data: ArchiveQuery) -> tuple[ArchiveJobOut, int, Headers]:
    """Upload an archive and classify it while it is received

    A TAR, a ZIP, or a TAR or single picture compressed with gzip, bzip2, xz or Zstandard, whatever its name; as the
    body, or as a file in a form (`curl -F file=@photos.zip`). Symbolic links, devices, encrypted files and paths with
    `..` are skipped, and so is what systems and tools leave behind; the answer shows how many, and why. Hard links
    repeat the file that they name. Sent again with the same id, the upload continues where it was interrupted.
    """
    services = get_services()
    limit = services.settings.max_upload_bytes
    is_form = request.mimetype == FORM
    body = BodyReader(
        limit + is_form * MAX_FORM_BYTES,
        f"Expected an archive of at most {limit} bytes. Split it into several uploads.",
    )
    services.blobs.check_room(min(body.announced, limit))
    check_quota(body.announced)
    uuid = query_data.id or uuid4()
    form = FileForm(body.read) if is_form else None
    file_name = form.file_name if form else ""
    options = ArchiveOptions(**query_data.model_dump(exclude={"id"}), file_name=file_name)
    receiver = ArchiveReceiver(services, uuid, options, current_actor())
    receiver.receive(form.read if form else body.read)
    for name in form.drain() if form else ():
        receiver.skipped.add(SkippedEntry(name, "another file of the form"))
    with services.db.read() as session:
        view = describe(session, jobs.get_job(session, uuid))
    job = ArchiveJobOut(**JobOut.from_view(view).model_dump(), skipped=_describe(receiver.skipped))
    return job, 202, Headers({"Location": url_for("jobs.get_job", job_uuid=uuid)})


def _describe(skipped: SkippedSummary) -> SkippedOut:
    first = [Skipped(path=entry.path, reason=entry.reason) for entry in skipped.first]
    return SkippedOut(n=skipped.n, by_reason=dict(skipped.by_reason), first=first)
