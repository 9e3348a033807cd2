"""Labelling all pictures of a job that are probably neither, in one act that says how many and asks."""

from uuid import UUID, uuid4

from flask import Blueprint, Response, render_template, request, url_for

from core.accounts.rights import Right
from core.base.errors import Invalid
from core.base.states import BatchKind, JobKind
from core.jobs import jobs, navigation, results
from core.jobs.progress import describe
from core.jobs.result_filter import PROBABLE, ResultFilter
from core.review import bulk_labels
from web.http.arguments import COUNT, read_argument
from web.http.context import get_services
from web.http.redirects import see_other
from web.http.rights import current_actor, needs

pages = Blueprint("neither_pages", __name__)

SHOWN = 60
WORK_S = 60.0
OPEN = ResultFilter(neither=PROBABLE, said="nothing", sort="-confidence")


@pages.get("/jobs/<uuid:uuid>/neither")
@needs(Right.LABEL)
def ask_neither(uuid: UUID) -> str | Response:
    """How many pictures are probably neither, the first of them, and the question; or what was labelled."""
    with get_services().db.read() as session:
        job = jobs.get_job(session, uuid)
        if job.kind != JobKind.CLASSIFY:
            return see_other(url_for("job_pages.show_job", uuid=uuid))
        rows = results.list_results(session, job, OPEN, None, SHOWN).items
        n_open = navigation.count_results(session, job, OPEN)
        view = describe(session, job)
    return render_template(
        "labels/neither.html",
        job=view,
        rows=rows,
        n_open=n_open,
        new_id=uuid4(),
        n_labelled=read_argument("n", COUNT),
        batch=request.args.get("batch", ""),
        n_undone=read_argument("undone", COUNT),
        has_changed="changed" in request.args,
    )


@pages.post("/jobs/<uuid:uuid>/neither")
@needs(Right.LABEL)
def label_neither(uuid: UUID) -> Response:
    """Label those that have no label by a person, unless their number is no longer the one that was asked about."""
    services = get_services()
    batch_uuid = _id_in("id")
    with services.db.write() as session:
        job = jobs.get_job(session, uuid)
        if navigation.count_results(session, job, OPEN) != request.form.get("n", type=int):
            return see_other(url_for("neither_pages.ask_neither", uuid=uuid, changed=1))
        bulk_labels.create_batch(session, current_actor(), batch_uuid, uuid, BatchKind.CONFIRM, OPEN)
    n_labels = bulk_labels.run_batch(services.db, batch_uuid, WORK_S).n_labels
    return see_other(url_for("neither_pages.ask_neither", uuid=uuid, n=n_labels, batch=batch_uuid))


@pages.post("/jobs/<uuid:uuid>/neither/undo")
@needs(Right.LABEL, own=True)
def undo_neither(uuid: UUID) -> Response:
    """Undo that; newer labels are kept."""
    services = get_services()
    of, new_id = _id_in("batch"), _id_in("id")
    with services.db.write() as session:
        undo = bulk_labels.undo_batch(session, current_actor(), new_id, of).uuid
    n_undone = bulk_labels.run_batch(services.db, undo, WORK_S).n_labels
    return see_other(url_for("neither_pages.ask_neither", uuid=uuid, undone=n_undone))


def _id_in(name: str) -> UUID:
    try:
        return UUID(request.form.get(name, ""))
    except ValueError:
        raise Invalid("The form has no valid id. Reload its page and try again.") from None
