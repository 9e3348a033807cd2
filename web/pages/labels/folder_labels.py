"""Withdrawing the labels that the folders of a job's uploads gave, after a question that says how many."""

from uuid import UUID

from flask import Blueprint, Response, render_template, url_for

from core.accounts.rights import Right
from core.jobs import jobs
from core.jobs.progress import describe
from core.labels import folder_labels
from web.http.arguments import COUNT, read_argument
from web.http.context import get_services
from web.http.redirects import see_other
from web.http.rights import current_actor, needs

pages = Blueprint("folder_label_pages", __name__)


@pages.get("/jobs/<uuid:uuid>/folder-labels")
@needs(Right.LABEL, own=True)
def ask_folder_labels(uuid: UUID) -> str:
    """How many labels of folders count, and the question; or how many were withdrawn."""
    with get_services().db.read() as session:
        job = jobs.check_own(current_actor(), jobs.get_job(session, uuid))
        n_labels = folder_labels.count_counting(session, [one.id for one in session.scalars(jobs.uploads_of(job))])
        view = describe(session, job)
    withdrawn = read_argument("withdrawn", COUNT)
    return render_template("labels/folder_labels.html", job=view, n_labels=n_labels, n_withdrawn=withdrawn)


@pages.post("/jobs/<uuid:uuid>/folder-labels")
@needs(Right.LABEL, own=True)
def withdraw_folder_labels(uuid: UUID) -> Response:
    """Withdraw them all. Sent twice, the form withdraws them once."""
    with get_services().db.write() as session:
        _, uploads = jobs.lock_with_uploads(session, uuid)
        n_labels = sum(folder_labels.withdraw(session, current_actor(), upload.uuid) for upload in uploads)
    return see_other(url_for("folder_label_pages.ask_folder_labels", uuid=uuid, withdrawn=n_labels))
