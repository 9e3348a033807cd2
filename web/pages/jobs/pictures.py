"""One picture of a job: its prediction, its label, its file, and its neighbours."""

from uuid import UUID, uuid4

from flask import Blueprint, Response, render_template, request, url_for

from core.accounts.rights import Right
from core.base.network_catalog import CLASSES
from core.base.states import LabelSource
from core.jobs import heatmaps, jobs, navigation, results
from core.jobs.results import ResultRow
from core.labels import counts, labels
from core.labels.labels import NEITHER, NewLabel
from core.models import registry
from core.orm.uploads import Upload
from web.http.auth import current_user_id
from web.http.context import get_services
from web.http.paths import IMAGE_ID
from web.http.redirects import see_other
from web.http.rights import current_actor, needs
from web.pages.common.undo_steps import UndoSteps
from web.pages.jobs.heatmap import make_overlay
from web.pages.jobs.picture_filter import PictureFilter

pages = Blueprint("picture_pages", __name__)


@pages.get(f"/jobs/<uuid:uuid>/images/{IMAGE_ID}")
@needs(Right.SEE)
def show_image(uuid: UUID, image_id: int) -> str:
    """One picture; the address has the filter that determines its neighbours."""
    filters = PictureFilter.from_request()
    with get_services().db.read() as session:
        job = jobs.get_job(session, uuid)
        row = results.get_result(session, job, image_id)
        drawn = heatmaps.find_heatmap(session, job, image_id)
        beside = navigation.find_neighbours(session, job, filters.result_filter, image_id)
        near = [one for one in (beside.before, beside.after) if one is not None]
        readable = {one for one in near if results.get_result(session, job, one).error_code is None}
        version = registry.get_any(session, job.model_version_id)
        n_new = counts.count_since_training(session, job.model_version_id)
        upload = session.get(Upload, job.upload_id) if job.upload_id else None
    probabilities = list(zip(CLASSES, row.probabilities, strict=True)) if row.probabilities else []
    return render_template(
        "jobs/picture.html",
        job=job,
        row=row,
        filters=filters,
        beside=beside,
        readable=readable,
        version=version,
        n_new=n_new,
        heat=make_overlay(drawn),
        discarded_at=upload.discarded_at if upload else None,
        probabilities=probabilities,
        choices=(*CLASSES, NEITHER),
        proposed=_proposed(row),
        steps=UndoSteps.from_text(request.args.get("steps", "")),
    )


def _proposed(row: ResultRow) -> str | None:
    """What the model proposes; None if it is unsure."""
    if row.is_probably_neither:
        return NEITHER
    return row.label if row.label in CLASSES else None


@pages.post(f"/jobs/<uuid:uuid>/images/{IMAGE_ID}")
@needs(Right.LABEL)
def label_image(uuid: UUID, image_id: int) -> Response:
    """Label a picture with the plain form and show the next one, or undo the last label and show its picture."""
    filters, steps = PictureFilter.from_request(), UndoSteps.from_text(request.form.get("steps", ""))
    with get_services().db.write() as session:
        if "undo" not in request.form:
            job = jobs.get_job(session, uuid)
            label, key = request.form.get("label", ""), uuid4()
            is_confirmed = label == results.get_result(session, job, image_id).label
            source = LabelSource.CONFIRMATION if is_confirmed else LabelSource.CORRECTION
            labels.add_labels(session, current_user_id(), [NewLabel(image_id, label, source, key)])
            steps = steps.plus(image_id, str(key))
            image_id = navigation.find_neighbours(session, job, filters.result_filter, image_id).after or image_id
        elif steps.entries:
            image_id, text = steps.entries[-1]
            labels.add_labels(session, current_user_id(), [NewLabel(image_id, None, undoes=UUID(text))])
            steps = steps.without_last()
    return see_other(filters.image_address(uuid, image_id, steps.text))


@pages.post("/jobs/<uuid:uuid>/threshold")
@needs(Right.SEND, own=True)
def move_threshold(uuid: UUID) -> Response:
    """Set the threshold with a plain form, in percent; the slider of the page calls the API."""
    threshold = request.form.get("threshold", type=float)
    if threshold is not None:
        with get_services().db.write() as session:
            jobs.update_job(session, current_actor(), uuid, threshold=threshold / 100)
    return see_other(url_for("job_pages.show_job", uuid=uuid))
