"""Importing corrections: a sorted folder or zip that a user rearranged becomes labels, which can be undone.

Of a folder, static/jobs/import_corrections.js sends only the paths and hashes of its files.
"""

from uuid import UUID, uuid4

from flask import Blueprint, Response, render_template, request, url_for

from core.base.errors import Invalid
from core.base.states import JobKind
from core.jobs import jobs
from core.jobs.progress import JobView, describe
from core.review import bulk_labels, corrected_folders
from core.review.corrected_folders import FolderCorrections
from web.http.auth import checks_csrf_itself, current_user_id
from web.http.context import get_services
from web.http.redirects import see_other
from web.pages.jobs.archive_form import open_archive_form
from web.pages.jobs.jobs import see_job
from web.receiving.corrections import hash_files, read_list

pages = Blueprint("correction_pages", __name__)

LIST_ENDING = ".jsonl"
UNDO_S = 60.0


@pages.get("/jobs/<uuid:uuid>/corrections")
def ask_corrections(uuid: UUID) -> str | Response:
    """The form to import a rearranged folder or ZIP."""
    job = _describe(uuid)
    if job.kind != JobKind.CLASSIFY:
        return see_job(uuid)
    undone = request.args.get("undone", type=int)
    return render_template("jobs/corrections.html", job=job, new_id=uuid4(), found=None, undone=undone)


@pages.post("/jobs/<uuid:uuid>/corrections")
@checks_csrf_itself
def import_corrections(uuid: UUID) -> str | Response:
    """Import corrections while they are received. Sent twice, the form writes its labels once."""
    opened = open_archive_form("", "Go back and choose the ZIP or TAR that you rearranged.")
    if isinstance(opened, Response):
        return opened
    form, _ = opened
    services = get_services()
    job = _describe(uuid)  # before gigabytes are read
    is_list = form.file_name.endswith(LIST_ENDING)
    files = read_list(form.read) if is_list else hash_files(form.read, services.settings)
    batch_uuid = _id_in(form.fields.get("id", ""))
    found = corrected_folders.import_corrections(services.db, uuid, batch_uuid, current_user_id(), files)
    form.drain()
    return _show(job, found, form.fields.get("n_unreadable", ""))


@pages.post("/jobs/<uuid:uuid>/corrections/undo")
def undo_corrections(uuid: UUID) -> Response:
    """Undo an import; newer labels are kept."""
    services = get_services()
    with services.db.write() as session:
        of, new_id = _id_in(request.form.get("batch", "")), _id_in(request.form.get("id", ""))
        undo = bulk_labels.undo_batch(session, new_id, of, current_user_id()).uuid
    done = bulk_labels.run_batch(services.db, undo, UNDO_S)
    return see_other(url_for("correction_pages.ask_corrections", uuid=uuid, undone=done.n_labels))


def _describe(uuid: UUID) -> JobView:
    with get_services().db.read() as session:
        return describe(session, jobs.get_job(session, uuid))


def _show(job: JobView, found: FolderCorrections, n_unreadable: str) -> str:
    n_lost = int(n_unreadable) if n_unreadable.isdecimal() else 0
    return render_template(
        "jobs/corrections.html", job=job, new_id=uuid4(), found=found, n_unreadable=n_lost, undone=None
    )


def _id_in(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid("The form has no valid id. Reload its page and try again.") from None
