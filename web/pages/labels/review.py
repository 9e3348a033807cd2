"""Reviewing a job, or an audit of it, picture by picture.

With JavaScript, static/labels/review does everything in one page. Without it, a form shows one picture, takes its label
and shows the next. Only forms write: showing the page claims nothing.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from flask import Blueprint, Response, abort, json, render_template, request, url_for
from sqlalchemy.orm import Session

from core.accounts.rights import Right
from core.base.database import Database
from core.base.errors import Invalid
from core.base.network_catalog import CLASSES
from core.base.states import LabelSource
from core.jobs.progress import describe
from core.labels import labels
from core.labels.labels import NEITHER, NewLabel
from core.review import audits, review_queue
from core.review.review_queue import ReviewItem, ReviewQueue
from web.http import paths
from web.http.arguments import read_argument, whole_number
from web.http.auth import current_user_id
from web.http.context import get_services
from web.http.redirects import see_other
from web.http.rights import needs
from web.pages.common.undo_steps import SKIPPED, UndoSteps
from web.schemas.review import MAX_HELD, PictureOut

pages = Blueprint("review_pages", __name__)


@pages.get("/jobs/<uuid:uuid>/review")
@pages.get("/jobs/<uuid:uuid>/audits/<uuid:audit>/review", endpoint="check_audit")
@needs(Right.LABEL)
def show_review(uuid: UUID, audit: UUID | None = None) -> str:
    """One large picture, with buttons and keys for its label. Where counting takes long, a script asks for counts."""
    reviewer = _reviewer()
    image_id = read_argument("image", whole_number(1, paths.LARGEST_IMAGE_ID))
    services = get_services()
    with services.db.read() as session:
        queue = review_queue.open_queue(session, uuid, audit)
        picture = _choose_picture(session, queue, reviewer, image_id)
        view = describe(session, queue.job)
        is_counted = "count" in request.args or services.reviews.is_quick(session, queue.job)
        progress = services.reviews.measure(session, queue.job, view) if is_counted and not audit else None
        audit_view = audits.describe_audit(session, queue.audit, queue.job.threshold_milli) if queue.audit else None
        n_skipped = review_queue.count_skipped(session, queue)
    return render_template(
        "labels/review.html",
        job=view,
        picture=picture,
        as_data=json.dumps(PictureOut.from_picture(picture).model_dump() if picture else None),
        progress=progress,
        audit_view=audit_view,
        n_skipped=n_skipped,
        reviewer=reviewer,
        steps=UndoSteps.from_text(request.args.get("steps", "")),
        choices=(*CLASSES, NEITHER),
        user_id=current_user_id(),
        max_held=MAX_HELD,
    )


def _reviewer() -> UUID:
    try:
        return UUID(request.values.get("as", ""))
    except ValueError:
        return uuid4()


def _choose_picture(session: Session, queue: ReviewQueue, reviewer: UUID, image_id: int | None) -> ReviewItem | None:
    """The requested picture, or the first one that no reviewer holds."""
    requested = review_queue.find_pictures(session, queue, [image_id]) if image_id else []
    found = requested or review_queue.find_candidates(session, queue, reviewer, None, 1)
    return found[0] if found else None


@pages.post("/jobs/<uuid:uuid>/review")
@pages.post("/jobs/<uuid:uuid>/audits/<uuid:audit>/review", endpoint="submit_audit_label")
@needs(Right.LABEL)
def submit_review(uuid: UUID, audit: UUID | None = None) -> Response:
    """Label a picture with the form, and show the next one."""
    db = get_services().db
    reviewer, steps = _reviewer(), UndoSteps.from_text(request.form.get("steps", ""))
    said, image_id = request.form.get("say", ""), request.form.get("image", type=paths.image_id)
    with db.read() as session:
        queue = review_queue.open_queue(session, uuid, audit)
    if said == "undo":
        if steps.entries:
            image_id = _undo(db, queue, reviewer, *steps.entries[-1])
            steps = steps.without_last()
    elif said == "again":
        with db.write() as session:
            review_queue.restore_skipped(session, queue)
        image_id = _next(db, queue, reviewer, ())
    elif image_id is not None:
        steps = steps.plus(image_id, _label(db, queue, image_id, said))
        image_id = _next(db, queue, reviewer, [image_id] if said == SKIPPED else ())
    form: dict[str, Any] = {"as": reviewer, "image": image_id, "steps": steps.text or None}
    if audit is not None:
        return see_other(url_for("review_pages.check_audit", uuid=uuid, audit=audit, **form))
    return see_other(url_for("review_pages.show_review", uuid=uuid, **form))


def _label(db: Database, queue: ReviewQueue, image_id: int, said: str) -> str:
    """Label or skip a picture; returns the key of the label, or `SKIPPED`."""
    if said == SKIPPED:
        return SKIPPED
    with db.write() as session:
        shown = review_queue.find_pictures(session, queue, [image_id])
        if not shown or said not in (*CLASSES, NEITHER):
            raise Invalid(
                f"say: expected one of {', '.join((*CLASSES, NEITHER))}, of a picture of this job; got {said!r}."
            )
        source = LabelSource.CONFIRMATION if said == shown[0].label else LabelSource.CORRECTION
        key = uuid4()
        label = NewLabel(image_id, said, LabelSource.AUDIT if queue.audit else source, key)
        labels.add_labels(session, current_user_id(), [label], queue.audit.id if queue.audit else None)
    return str(key)


def _undo(db: Database, queue: ReviewQueue, reviewer: UUID, image_id: int, key: str) -> int:
    with db.write() as session:
        if key != SKIPPED:
            labels.add_labels(session, current_user_id(), [NewLabel(image_id, None, undoes=UUID(key))])
        review_queue.claim_pictures(session, queue, reviewer, [image_id])
    return image_id


def _next(db: Database, queue: ReviewQueue, reviewer: UUID, skipped: Sequence[int]) -> int | None:
    """Claim the next picture for a form; None if there is none."""
    with db.write() as session:
        review_queue.claim_pictures(session, queue, reviewer, (), skipped)
        found = review_queue.find_candidates(session, queue, reviewer, None, 1)
        review_queue.claim_pictures(session, queue, reviewer, [picture.image_id for picture in found])
    return found[0].image_id if found else None


@pages.post("/jobs/<uuid:uuid>/audits")
@needs(Right.LABEL)
def draw_audit(uuid: UUID) -> Response:
    """Draw a random sample, and show its first picture."""
    try:
        audit_uuid, size = UUID(request.form["id"]), int(request.form["size"])
    except ValueError:
        abort(
            400,
            f"Expected a size ({', '.join(map(str, audits.SIZES))}) and an id. Go back, reload the page and try again.",
        )
    audits.draw_audit(get_services().db, audit_uuid, uuid, current_user_id(), size)
    return see_other(url_for("review_pages.check_audit", uuid=uuid, audit=audit_uuid))


@pages.get("/jobs/<uuid:uuid>/audits/<uuid:audit>")
@needs(Right.SEE)
def show_audit(uuid: UUID, audit: UUID) -> str:
    """The result of an audit: accuracy with its interval, and the pictures where person and model disagree."""
    with get_services().db.read() as session:
        queue = review_queue.open_queue(session, uuid, audit)
        assert queue.audit is not None
        view = audits.describe_audit(session, queue.audit, queue.job.threshold_milli)
        answers = audits.list_answers(session, queue.audit, queue.job.threshold_milli)
        job = describe(session, queue.job)
    wrong = [one for one in answers if one.label in CLASSES and one.label != one.said]
    return render_template("labels/audit.html", job=job, view=view, wrong=wrong)
