"""The list of jobs with the drop zone, and the page of a job: stop, retry, delete.

Without JavaScript, all of this works too, and a ZIP can be uploaded.
"""

from contextlib import suppress
from uuid import UUID, uuid4

from flask import Blueprint, Response, render_template, request, url_for
from sqlalchemy.orm import Session

from core.accounts import accounts
from core.accounts.rights import Right
from core.base.errors import Conflict
from core.base.states import ACTIVE_STATES, JobKind, JobState
from core.cleanup import deletion
from core.evaluation import drift
from core.jobs import job_states, jobs, navigation, results, retry
from core.jobs.listing import job_list, tags
from core.jobs.progress import count_workers, describe, describe_all, with_workers
from core.labels import counts, labelled_uploads
from core.models import promised_thresholds, registry
from core.orm.jobs import Job
from core.training import training_jobs as trainings
from web.exports import formats
from web.http.context import get_services
from web.http.delivery.etags import answer_if_changed, job_etag
from web.http.redirects import own_path, see_other
from web.http.rights import current_actor, needs
from web.pages.common import training_display
from web.pages.jobs.folders import list_folders
from web.pages.jobs.histogram import make_bars
from web.pages.jobs.job_view import with_counts
from web.pages.jobs.listing.list_filter import SORTS, STATES, ListFilter
from web.pages.jobs.picture_filter import PictureFilter
from web.pages.jobs.review_summary import summarise_review
from web.pages.jobs.upload_options import find_upload_options

CONFIRMATION = "delete"
JOBS_SHOWN = 30
PICTURES_SHOWN = 60

pages = Blueprint("job_pages", __name__)


@pages.get("/")
@needs(Right.SEE)
def list_jobs() -> str:
    """The first page: the drop zone, and jobs that match the filter."""
    cursor = request.args.get("cursor")
    filters = ListFilter.from_request()
    services = get_services()
    with services.db.read() as session:
        page = job_list.list_jobs(session, cursor, JOBS_SHOWN, filters.job_filter, filters.job_sort)
        users = sorted(accounts.list_names(session).values())
        all_tags, models = tags.list_tags(session), job_list.list_models(session)
        options = find_upload_options(session, services)
        views = describe_all(session, page.items)
        trainings = {
            job.uuid: training_display.show_training(session, job) for job in page.items if job.kind != JobKind.CLASSIFY
        }
    return render_template(
        "jobs/list.html",
        jobs=views,
        trainings=trainings,
        next=page.next,
        is_first_page=cursor is None,
        options=options,
        filters=filters,
        states=STATES,
        sorts=SORTS,
        users=users,
        tags=all_tags,
        models=models,
        new_id=uuid4(),
        import_id=uuid4(),
        roots=services.settings.import_root_list,
    )


@pages.get("/jobs/<uuid:uuid>")
@needs(Right.SEE)
def show_job(uuid: UUID) -> str | Response:
    """A job: its progress, its counts and a grid of its pictures; or a training with its curves."""
    filters = PictureFilter.from_request()
    services = get_services()
    with services.db.read() as session:
        job = jobs.get_job(session, uuid)
        if job.kind != JobKind.CLASSIFY:
            return _show_training(session, job)
        page = results.list_results(session, job, filters.result_filter, request.args.get("cursor"), PICTURES_SHOWN)
        n_warnings = navigation.count_warnings(session, job)
        view = with_workers(describe(session, job), count_workers(session, job, services.settings.responding_s))
        histogram = navigation.find_histogram(session, job, filters.scope)
        review = summarise_review(session, job)
        lacks_looks = view.n_done > 0 and not navigation.has_similarity_keys(session, job)
        fit = drift.describe(session, job, counts_corrected=False) if job.state == JobState.DONE else None
        n_new = counts.count_since_training(session, job.model_version_id)
        asks_folders = "folders" in request.args or filters.folder is not None
        below = list_folders(session, job, filters.folder or "", must_count=asks_folders)
        version = registry.get_any(session, job.model_version_id)
    return render_template(
        "jobs/job.html",
        job=view,
        counted=with_counts(view, histogram),
        filters=filters,
        rows=page.items,
        next=page.next,
        bars=make_bars(histogram.bins),
        folders=below,
        exports=formats.EXPORTS,
        asks_folders=asks_folders,
        review_summary=review,
        fit=fit,
        promised=promised_thresholds.list_promised(version) if version else [],
        lacks_looks=lacks_looks,
        n_warnings=n_warnings,
        n_new=n_new,
    )


def _show_training(session: Session, job: Job) -> Response:
    """The page of a training; while it runs, with an ETag, because an open page requests it again and again."""
    n_new = counts.count_since_training(session, job.model_version_id)

    def make_response() -> Response:
        uploads = labelled_uploads.list_trained_on(session, job)
        shown = training_display.show_training(session, job)
        check = training_display.check_new_version(session, job)
        page = render_template("training/training.html", shown=shown, uploads=uploads, n_new=n_new, check=check)
        return Response(page)

    if job.state not in ACTIVE_STATES:
        return make_response()
    can_change = current_actor().may_change(job.user_id)
    return answer_if_changed(f"{job_etag(job)}-{n_new}-{can_change}", make_response)


@pages.post("/jobs/<uuid:uuid>/cancel")
@needs(Right.SEND, own=True)
def cancel_job(uuid: UUID) -> Response:
    """Stop a job; one that has already ended shows its result."""
    stop = trainings.keep_best if "keep_best" in request.form else job_states.cancel_job
    with suppress(Conflict), get_services().db.write() as session:
        stop(session, current_actor(), uuid)
    return _see_back(uuid)


@pages.post("/jobs/<uuid:uuid>/retry")
@needs(Right.SEND, own=True)
def retry_job(uuid: UUID) -> Response:
    """Retry the failed files, or resume a job that was stopped."""
    services = get_services()
    chunk_ids: list[int] = []
    with suppress(Conflict), services.db.write() as session:
        _, chunk_ids = retry.retry_job(session, current_actor(), uuid)
    services.tasks.wake_inference(len(chunk_ids))
    return _see_back(uuid)


@pages.get("/jobs/<uuid:uuid>/delete")
@needs(Right.SEND, own=True)
def confirm_delete(uuid: UUID, is_wrong: bool = False) -> str:
    """The question before a job is deleted."""
    with get_services().db.read() as session:
        job = jobs.check_own(current_actor(), jobs.get_job(session, uuid))
        n_taken = sum(upload.n_images for upload in deletion.list_deleted_with(session, current_actor(), job))
        view = describe(session, job)
    return render_template("jobs/delete.html", job=view, n_taken=n_taken, word=CONFIRMATION, is_wrong=is_wrong)


@pages.post("/jobs/<uuid:uuid>/delete")
@needs(Right.SEND, own=True)
def delete_job(uuid: UUID) -> Response | tuple[str, int]:
    """Delete a job if the word was typed; its rows and files are deleted in the background."""
    if request.form.get("confirmation", "").strip().lower() != CONFIRMATION:
        return confirm_delete(uuid, is_wrong=True), 422
    services = get_services()
    with services.db.write(deletes=True) as session:
        deletion.delete_job(session, current_actor(), uuid)
    services.tasks.send_purge()
    return see_other(url_for("job_pages.list_jobs"))


def _see_back(uuid: UUID) -> Response:
    """Go back to the list that contained the form, or to the page of the job."""
    return see_other(own_path("back", url_for("job_pages.show_job", uuid=uuid)))


def see_job(uuid: UUID) -> Response:
    """Go to the page of a job."""
    return see_other(url_for("job_pages.show_job", uuid=uuid))
