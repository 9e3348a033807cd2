"""Importing corrections: a sorted folder or zip that a user rearranged shows what it would change, then becomes labels.

Of a folder, static/jobs/import_corrections.js sends only the paths and hashes of its files.
"""

from uuid import UUID, uuid4

from flask import Blueprint, Response, render_template, request, url_for

from core.accounts.rights import Right
from core.base.errors import Invalid
from core.base.states import JobKind
from core.jobs import jobs
from core.jobs.progress import JobView, describe
from core.labels import folder_labels
from core.review import bulk_labels, correction_batches
from core.review.corrected_folders import CorrectionPlan
from web.http.arguments import COUNT, read_argument
from web.http.auth import checks_csrf_itself
from web.http.context import get_services
from web.http.limits.at_once import Work, works
from web.http.redirects import see_other
from web.http.rights import current_actor, needs
from web.pages.jobs.archive_form import open_archive_form
from web.pages.jobs.jobs import see_job
from web.receiving.corrections import hash_files, read_list

pages = Blueprint("correction_pages", __name__)

LIST_ENDING = ".jsonl"
UNDO_S = 60.0
MAX_DIGITS = 9


@pages.get("/jobs/<uuid:uuid>/corrections")
@needs(Right.LABEL)
def ask_corrections(uuid: UUID) -> str | Response:
    """The form to import a rearranged folder or ZIP; after an import, what it has written."""
    applied = request.args.get("applied", "")
    with get_services().db.read() as session:
        row = jobs.get_job(session, uuid)
        job = describe(session, row)
        if job.kind != JobKind.CLASSIFY:
            return see_job(uuid)
        batch = correction_batches.get_applied(session, uuid, _id_in(applied)) if applied else None
        n_folder_labels = folder_labels.count_counting(session, [jobs.get_upload_of(session, row).id])
    return render_template(
        "jobs/corrections.html",
        job=job,
        new_id=uuid4(),
        applied=batch,
        undone=read_argument("undone", COUNT),
        n_folder_labels=n_folder_labels,
    )


@pages.post("/jobs/<uuid:uuid>/corrections")
@needs(Right.LABEL)
@checks_csrf_itself
@works(Work.ARCHIVE)
def preview_corrections(uuid: UUID) -> str | Response:
    """What a folder or ZIP would change, found out while it is received."""
    opened = open_archive_form("", "Go back and choose the ZIP or TAR that you rearranged.")
    if isinstance(opened, Response):
        return opened
    form, _ = opened
    services = get_services()
    with services.db.read() as session:
        job = describe(session, jobs.get_job(session, uuid))  # before gigabytes are read
    is_list = form.file_name.endswith(LIST_ENDING)
    items = read_list(form.read) if is_list else hash_files(form.read, services.settings)
    batch_uuid = _id_in(form.fields.get("id", ""))
    plan = correction_batches.prepare_corrections(services.db, current_actor(), uuid, batch_uuid, items)
    form.drain()
    return _show(job, plan, batch_uuid, form.fields.get("n_unreadable", ""))


@pages.post("/jobs/<uuid:uuid>/corrections/apply")
@needs(Right.LABEL, own=True)
def apply_corrections(uuid: UUID) -> Response:
    """Write the labels of a preview. Sent twice, the form writes them once."""
    wanted = _id_in(request.form.get("batch", ""))
    batch = correction_batches.apply_corrections(get_services().db, current_actor(), uuid, wanted)
    return see_other(url_for("correction_pages.ask_corrections", uuid=uuid, applied=batch.uuid))


@pages.post("/jobs/<uuid:uuid>/corrections/undo")
@needs(Right.LABEL, own=True)
def undo_corrections(uuid: UUID) -> Response:
    """Undo an import; newer labels are kept."""
    services = get_services()
    with services.db.write() as session:
        of, new_id = _id_in(request.form.get("batch", "")), _id_in(request.form.get("id", ""))
        undo = bulk_labels.undo_batch(session, current_actor(), new_id, of).uuid
    done = bulk_labels.run_batch(services.db, undo, UNDO_S)
    return see_other(url_for("correction_pages.ask_corrections", uuid=uuid, undone=done.n_labels))


def _show(job: JobView, plan: CorrectionPlan, batch: UUID, n_unreadable: str) -> str:
    n_lost = int(n_unreadable) if n_unreadable.isdecimal() and len(n_unreadable) <= MAX_DIGITS else 0
    return render_template(
        "jobs/corrections.html", job=job, new_id=uuid4(), plan=plan, batch=batch, n_unreadable=n_lost
    )


def _id_in(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid("The form has no valid id. Reload its page and try again.") from None
