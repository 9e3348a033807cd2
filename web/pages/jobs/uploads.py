"""Uploads from the pages: an archive without JavaScript, a speed test, finish an upload, classify again."""

from contextlib import suppress
from pathlib import PurePosixPath
from uuid import UUID, uuid4

from flask import Blueprint, Response, render_template, request, url_for
from pydantic import ValidationError

from core.accounts.rights import Right
from core.base.errors import Conflict, Invalid
from core.base.names import MAX_SHORT_NAME, shorten_name
from core.ingest import shard_rows
from core.jobs import classify_jobs, jobs
from core.jobs.progress import describe
from core.labels import counts
from core.models import registry
from core.models.version_choices import NEWEST, offer_versions
from web.example.archive import NAME, build_tar
from web.http.auth import checks_csrf_itself
from web.http.context import get_services
from web.http.limits.at_once import Work, works
from web.http.multipart import FileForm
from web.http.redirects import see_other
from web.http.rights import current_actor, needs
from web.pages.jobs.archive_form import open_archive_form
from web.pages.jobs.jobs import see_job
from web.receiving.archives import ArchiveOptions, ArchiveReceiver
from web.receiving.bodies import BodyReader
from web.receiving.quotas import check_quota
from web.schemas.uploads import ArchiveQuery

pages = Blueprint("upload_pages", __name__)

ARCHIVE_ENDINGS = (".tar.gz", ".tgz", ".tar.bz2", ".tbz", ".tar.xz", ".txz", ".tar.zst", ".tar", ".zip")
MAX_TRIAL_BYTES = 4 * 2**20
PIECE_BYTES = 2**16


@pages.post("/archives")
@needs(Right.SEND)
@checks_csrf_itself
@works(Work.ARCHIVE)
def send_archive() -> Response:
    """Upload a ZIP or TAR from the first page without JavaScript, and classify it while it is received."""
    opened = open_archive_form("Split it into several uploads.", "Go back and choose a ZIP or TAR.")
    if isinstance(opened, Response):
        return opened
    form, body = opened
    services = get_services()
    services.blobs.check_room(min(body.announced, services.settings.max_upload_bytes))
    check_quota(body.announced)
    uuid = uuid4()
    ArchiveReceiver(services, uuid, _options(form), current_actor()).receive(form.read)
    form.drain()
    return see_job(uuid)


def _options(form: FileForm) -> ArchiveOptions:
    discards = form.fields.get("discard_originals") == "true"
    model = form.fields.get("model") or None
    try:
        query = ArchiveQuery.model_validate(
            {"name": _name_of(form.file_name), "model": model, "discard_originals": discards}
        )
    except ValidationError as error:
        raise Invalid(f"model: there is no version {form.fields.get('model')!r}. Choose one from the list.") from error
    return ArchiveOptions(query.name, form.file_name, model=query.model, discard_originals=query.discard_originals)


def _name_of(file_name: str) -> str:
    """ "C:\\\\photos.tar.gz" -> "photos", as in static/upload/input/names.js."""
    name = PurePosixPath(file_name.replace("\\", "/")).name
    ending = next((one for one in ARCHIVE_ENDINGS if name.lower().endswith(one)), "")
    return shorten_name(name[: len(name) - len(ending)], MAX_SHORT_NAME) or "Pictures"


@pages.post("/example")
@needs(Right.SEND)
def try_example() -> Response:
    """Create a job with the drawings of the example. Sent twice, the form creates one job."""
    uuid = new_id()
    with build_tar() as tar:
        ArchiveReceiver(get_services(), uuid, ArchiveOptions(NAME), current_actor()).receive(tar.read)
    return see_job(uuid)


@pages.post("/trial")
@needs(Right.SEND)
def try_connection() -> Response:
    """Receive some bytes and discard them, so that static/upload/plan/speed_test.js can measure the speed."""
    body = BodyReader(MAX_TRIAL_BYTES, f"Expected at most {MAX_TRIAL_BYTES} bytes. Send fewer.")
    while body.read(PIECE_BYTES):
        pass
    return Response(status=204)


@pages.post("/jobs/<uuid:uuid>/finish")
@needs(Right.SEND, own=True)
def finish_upload(uuid: UUID) -> Response:
    """Finish the upload of a job with the files that have arrived; a complete one stays as it is."""
    with suppress(Conflict), get_services().db.write() as session:
        upload = jobs.get_upload_of(session, jobs.get_job(session, uuid))
        shard_rows.complete_upload(session, current_actor(), upload.uuid, partial=True)
    return see_job(uuid)


@pages.get("/jobs/<uuid:uuid>/again")
@needs(Right.SEND)
def ask_again(uuid: UUID) -> str:
    """Ask which version to classify the pictures of a job with."""
    with get_services().db.read() as session:
        job = jobs.get_job(session, uuid)
        jobs.get_upload_of(session, job)
        view = describe(session, job)
        limit = None if request.args.get("all") else NEWEST
        offered = offer_versions(session, job.model_version_id, limit=limit)
        in_use = registry.find_in_use(session)
        n_new = counts.count_since_each(session, offered.ids)
    others = [one for one in offered.ids if one != job.model_version_id]
    chosen = in_use if in_use in others else next(iter(others), in_use)
    return render_template(
        "jobs/classify_again.html", job=view, offered=offered, n_new=n_new, in_use=in_use, chosen=chosen, new_id=uuid4()
    )


@pages.post("/jobs/<uuid:uuid>/again")
@needs(Right.SEND)
def classify_again(uuid: UUID) -> Response:
    """Create a job with the same pictures. Sent twice, the form creates one job."""
    services = get_services()
    again = new_id()
    with services.db.write() as session:
        job = jobs.get_job(session, uuid)
        _, chunk_ids = classify_jobs.create_classify_job(
            session,
            current_actor(),
            again,
            jobs.get_upload_of(session, job).uuid,
            model=request.form.get("model") or None,
            name=request.form.get("name") or job.name,
            default_threshold=services.settings.threshold,
        )
    services.tasks.wake_inference(len(chunk_ids))
    return see_other(url_for("job_pages.show_job", uuid=again))


def new_id() -> UUID:
    """The id in the form, so that it creates one thing even if it is sent twice; a new one without."""
    try:
        return UUID(request.form.get("id", ""))
    except ValueError:
        return uuid4()
