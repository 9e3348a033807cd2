"""Jobs: create, list, rename, change the threshold, cancel, retry, delete."""

from uuid import UUID

from apiflask import APIBlueprint
from flask import Response, jsonify
from sqlalchemy.orm import Session

from core.accounts.rights import Right
from core.base.errors import NotFound
from core.base.states import ACTIVE_STATES, JobState
from core.cleanup import deletion
from core.jobs import classify_jobs, handover, job_states, jobs, retry
from core.jobs.listing import job_list
from core.jobs.listing.job_filter import JobFilter
from core.jobs.progress import count_workers, describe, describe_all, with_workers
from core.orm.jobs import Job
from core.training import training_jobs
from web.http.context import get_services
from web.http.delivery.etags import answer_if_changed, job_etag
from web.http.rights import current_actor, needs
from web.schemas.jobs import CancelIn, JobIn, JobOut, JobPage, JobPatch, JobQuery, OwnerIn

TAG = {
    "name": "Jobs",
    "description": "Work that somebody waits for: classify an upload, or train a network",
}
api = APIBlueprint("jobs", __name__, url_prefix="/api/v1/jobs", tag=TAG)


@api.put("/<uuid:job_uuid>")
@needs(Right.SEND, own=True)
@api.input(JobIn)
@api.output(JobOut, status_code=201, description="Created")
@api.doc(responses={200: "It existed already", 409: "Another job has this id, or the originals were discarded"})
def create_job(job_uuid: UUID, json_data: JobIn) -> tuple[JobOut, int]:
    """Classify an upload with any version, any number of times, even before it is complete

    Repeating the call with the same id is harmless.
    """
    services = get_services()
    with services.db.write() as session:
        status = 200 if _exists(session, job_uuid) else 201
        job, chunk_ids = classify_jobs.create_classify_job(
            session,
            current_actor(),
            job_uuid,
            json_data.upload,
            model=None if json_data.model is None else str(json_data.model),
            threshold=json_data.threshold,
            name=json_data.name,
            default_threshold=services.settings.threshold,
        )
        shown = _show(session, job)
    services.tasks.wake_inference(len(chunk_ids))
    return shown, status


@api.get("")
@needs(Right.SEE)
@api.input(JobQuery, location="query")
@api.output(JobPage)
def list_jobs(query_data: JobQuery) -> JobPage:
    """Jobs, newest first or in another order"""
    with get_services().db.read() as session:
        wanted = _filter_of(query_data)
        page = job_list.list_jobs(session, query_data.cursor, query_data.limit, wanted, query_data.sort)
        return JobPage(items=[JobOut.from_view(view) for view in describe_all(session, page.items)], next=page.next)


@api.get("/<uuid:job_uuid>")
@needs(Right.SEE)
@api.output(JobOut)
@api.doc(responses={304: "Unchanged since the response with this ETag", 410: "The job was deleted"})
def get_job(job_uuid: UUID) -> Response:
    """One job, with an ETag; send it in If-None-Match to get 304 while nothing changes"""
    services = get_services()
    with services.db.read() as session:
        job = jobs.get_job(session, job_uuid)
        n_workers = count_workers(session, job, services.settings.responding_s)
        response = answer_if_changed(
            f"{job_etag(job)}-{n_workers}", lambda: jsonify(_show(session, job).model_dump(mode="json"))
        )
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@api.patch("/<uuid:job_uuid>")
@needs(Right.SEND, own=True)
@api.input(JobPatch)
@api.output(JobOut)
def update_job(job_uuid: UUID, json_data: JobPatch) -> JobOut:
    """Rename a job, or change its threshold or tags; nothing is classified again"""
    with get_services().db.write() as session:
        job = jobs.update_job(session, current_actor(), job_uuid, json_data.name, json_data.threshold, json_data.tags)
        session.flush()
        return _show(session, job)


@api.post("/<uuid:job_uuid>/owner")
@needs(Right.OTHERS)
@api.input(OwnerIn)
@api.output(JobOut)
@api.doc(responses={422: "The person is disabled, or a viewer"})
def hand_over_job(job_uuid: UUID, json_data: OwnerIn) -> JobOut:
    """Give a job, with its upload, to another person

    Uploads of a third person keep their owner.
    """
    with get_services().db.write() as session:
        return _show(session, handover.hand_over_job(session, current_actor(), job_uuid, json_data.user))


@api.post("/<uuid:job_uuid>/cancel")
@needs(Right.SEND, own=True)
@api.input(CancelIn)
@api.output(JobOut)
@api.doc(responses={409: "The job has already ended", 422: "Only a training has a best epoch to keep"})
def cancel_job(job_uuid: UUID, json_data: CancelIn) -> JobOut:
    """Cancel a job within one chunk, or one step of a training; existing results are kept

    With `keep_best`, a training evaluates its best epoch so far and keeps it as a version.
    """
    with get_services().db.write() as session:
        stop = training_jobs.keep_best if json_data.keep_best else job_states.cancel_job
        job = stop(session, current_actor(), job_uuid)
        session.refresh(job)
        return _show(session, job)


@api.post("/<uuid:job_uuid>/retry")
@needs(Right.SEND, own=True)
@api.output(JobOut)
@api.doc(responses={409: "The job has not ended yet"})
def retry_job(job_uuid: UUID) -> JobOut:
    """Classify the failed files again"""
    services = get_services()
    with services.db.write() as session:
        job, chunk_ids = retry.retry_job(session, current_actor(), job_uuid)
        shown = _show(session, job)
    services.tasks.wake_inference(len(chunk_ids))
    return shown


@api.delete("/<uuid:job_uuid>")
@needs(Right.SEND, own=True)
@api.doc(responses={202: "Hidden at once; rows and files are deleted in the background"})
def delete_job(job_uuid: UUID) -> Response:
    """Delete a job, and its upload with the last job that uses it

    Labels are kept.
    """
    services = get_services()
    with services.db.write(deletes=True) as session:
        deletion.delete_job(session, current_actor(), job_uuid)
    services.tasks.send_purge()
    return Response(status=202)


def _show(session: Session, job: Job) -> JobOut:
    n_workers = count_workers(session, job, get_services().settings.responding_s)
    return JobOut.from_view(with_workers(describe(session, job), n_workers))


def _filter_of(query: JobQuery) -> JobFilter:
    wanted = ACTIVE_STATES if query.state == "active" else (JobState(query.state),) if query.state else ()
    return JobFilter(query.name, wanted, query.user, query.since, query.before, query.tag, query.model, query.search)


def _exists(session: Session, job_uuid: UUID) -> bool:
    try:
        jobs.get_job(session, job_uuid)
    except NotFound:
        return False
    return True
