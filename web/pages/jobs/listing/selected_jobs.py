"""Actions on several jobs that were selected in the list: delete, export, retry, tag."""

from uuid import UUID

from flask import Blueprint, Response, render_template, request, stream_with_context, url_for
from sqlalchemy.orm import Session

from core.accounts.audit_log import Action, record
from core.accounts.rights import Right
from core.base.errors import Gone, Invalid, NotFound
from core.base.states import ACTIVE_STATES, JobKind
from core.cleanup import deletion
from core.jobs import jobs
from core.jobs.control import retry_failed
from core.jobs.export_snapshot import take_snapshot
from core.jobs.listing import tags
from core.jobs.progress import describe_all
from core.orm.jobs import Job
from web.exports.job_tables import table_blocks
from web.exports.names import attachment
from web.exports.rows import begin
from web.http.context import get_services
from web.http.limits.at_once import Work, works
from web.http.redirects import own_path, see_other
from web.http.rights import current_actor, needs

pages = Blueprint("selected_job_pages", __name__, url_prefix="/jobs/selected")

MOST = 1000
ZIP_NAME = "pawsort tables.zip"


@pages.post("/tag")
@needs(Right.SEND, own=True)
def tag_jobs() -> Response:
    """Add a tag to the selected jobs, or remove it from them."""
    tag = request.form.get("tag", "").split(tags.SEPARATOR)
    with get_services().db.write() as session:
        selected = _get_selected(session)
        if request.form.get("do") == "remove":
            tags.change_tags(session, current_actor(), selected, remove=tag)
        else:
            tags.change_tags(session, current_actor(), selected, add=tag)
    return _see_list()


@pages.post("/export")
@works(Work.DOWNLOAD)
@needs(Right.SEE)
def export_jobs() -> Response:
    """Download the tables of the selected jobs as one ZIP; jobs that classify nothing have none."""
    services = get_services()
    with services.db.read() as session:
        classified = [job for job in _get_selected(session) if job.kind == JobKind.CLASSIFY]
        if not classified:
            raise Invalid("None of the selected jobs has a table. Select jobs that sorted pictures.")
        snapshots = [take_snapshot(session, job) for job in classified]
    blocks = begin(table_blocks(services, snapshots))
    with services.db.write() as session:
        for job in classified:
            record(session, current_actor(), Action.EXPORT, "job", job.uuid, format="csv", name=job.name)
    response = Response(stream_with_context(blocks), mimetype="application/zip")
    response.headers["Content-Disposition"] = attachment(ZIP_NAME)
    return response


@pages.post("/retry")
@needs(Right.SEND)
def retry_jobs() -> Response:
    """Retry the selected jobs that can be: what failed is done again, what was stopped goes on."""
    services = get_services()
    with services.db.read() as session:
        ended = [job.uuid for job in _get_selected(session) if job.state not in ACTIVE_STATES]
    retried = retry_failed.retry_all(services.db, current_actor(), ended)
    services.tasks.wake_inference(retried.n_chunks)
    return _see_list()


@pages.post("/delete")
@needs(Right.SEND, own=True)
def delete_jobs() -> str | Response:
    """Ask once, with the numbers; then delete the selected jobs."""
    if "confirmed" not in request.form:
        return _ask_before_deletion()
    services = get_services()
    with services.db.write(deletes=True) as session:
        for job in _get_selected(session):
            deletion.delete_job(session, current_actor(), job.uuid)
    services.tasks.send_purge()
    return _see_list()


def _ask_before_deletion() -> str:
    with get_services().db.read() as session:
        selected = [jobs.check_own(current_actor(), job) for job in _get_selected(session)]
        n_pictures = sum(upload.n_images for upload in deletion.list_deleted_with(session, current_actor(), *selected))
        views = describe_all(session, selected)
    back = own_path("back", url_for("job_pages.list_jobs"))
    return render_template("jobs/delete_selected.html", jobs=views, n_pictures=n_pictures, back=back)


def _get_selected(session: Session) -> list[Job]:
    """The selected jobs, without those that were deleted in the meantime.

    Raises:
        Invalid: None was selected, or too many.
    """
    selected = []
    for text in dict.fromkeys(request.form.getlist("job")[: MOST + 1]):
        try:
            selected.append(jobs.get_job(session, UUID(text)))
        except (ValueError, NotFound, Gone):
            continue
    if not 0 < len(selected) <= MOST:
        raise Invalid(f"Select at least one job, and at most {MOST:,}. Go back to the list.")
    return selected


def _see_list() -> Response:
    return see_other(own_path("back", url_for("job_pages.list_jobs")))
