"""The queue: pause and resume jobs or everything, let a job go first, retry failed jobs in bulk."""

from uuid import UUID

from apiflask import APIBlueprint
from flask import Response

from core.accounts.rights import Right
from core.jobs.control import pausing, retry_failed
from core.jobs.control.pausing import Priority
from core.jobs.progress import describe
from core.operations import pauses
from web.http.context import get_services
from web.http.rights import current_actor, needs
from web.schemas.jobs import JobOut
from web.schemas.operations import PRIORITIES, PauseOut, PriorityIn, Refusal, RetryIn, RetryOut

TAG = {
    "name": "Queue",
    "description": "Pause and resume jobs or everything, let a job go first, retry failed jobs",
}
api = APIBlueprint("queue", __name__, url_prefix="/api/v1", tag=TAG)

WOKEN = 64  # each worker goes on until nothing is ready


@api.post("/jobs/<uuid:job_uuid>/pause")
@needs(Right.SEND, own=True)
@api.output(JobOut)
@api.doc(responses={409: "The job has ended"})
def pause_job(job_uuid: UUID) -> JobOut:
    """Pause a job: no worker claims anything more of it; what is being classified is finished"""
    with get_services().db.write() as session:
        return JobOut.from_view(describe(session, pausing.pause_job(session, current_actor(), job_uuid)))


@api.post("/jobs/<uuid:job_uuid>/resume")
@needs(Right.SEND, own=True)
@api.output(JobOut)
@api.doc(responses={409: "The job has ended"})
def resume_job(job_uuid: UUID) -> JobOut:
    """Resume a paused job"""
    services = get_services()
    with services.db.write() as session:
        shown = JobOut.from_view(describe(session, pausing.resume_job(session, current_actor(), job_uuid)))
    services.tasks.wake_inference(WOKEN)
    return shown


@api.put("/jobs/<uuid:job_uuid>/priority")
@needs(Right.SEND, own=True)
@api.input(PriorityIn)
@api.output(JobOut)
@api.doc(responses={409: "The job has ended"})
def set_job_priority(job_uuid: UUID, json_data: PriorityIn) -> JobOut:
    """Let a job go before the other jobs of the same person, or (admins) before all jobs"""
    priority: Priority = PRIORITIES[json_data.priority]
    with get_services().db.write() as session:
        job = pausing.set_priority(session, current_actor(), job_uuid, priority)
        return JobOut.from_view(describe(session, job))


@api.post("/jobs/retry")
@needs(Right.SEND)
@api.input(RetryIn)
@api.output(RetryOut)
def retry_jobs(json_data: RetryIn) -> RetryOut:
    """Retry several jobs that ended, or all that failed; those that cannot be retried are listed with the reason"""
    services, actor = get_services(), current_actor()
    uuids = json_data.jobs
    if uuids is None:
        with services.db.read() as session:
            uuids = retry_failed.list_failed(session, actor)
    retried = retry_failed.retry_all(services.db, actor, uuids)
    services.tasks.wake_inference(retried.n_chunks)
    refused = [Refusal(id=uuid, reason=reason) for uuid, reason in retried.refused.items()]
    return RetryOut(retried=retried.jobs, refused=refused)


@api.get("/pause")
@needs(Right.SEE)
@api.output(PauseOut)
def get_pause() -> PauseOut:
    """Whether everything is paused"""
    with get_services().db.read() as session:
        return PauseOut(paused_since=pauses.find_pause(session))


@api.put("/pause")
@needs(Right.SYSTEM)
@api.output(PauseOut)
def pause_everything() -> PauseOut:
    """Pause everything: workers finish what they do and claim nothing more; uploads and pages go on"""
    with get_services().db.write() as session:
        pauses.pause_everything(session, current_actor())
        return PauseOut(paused_since=pauses.find_pause(session))


@api.delete("/pause")
@needs(Right.SYSTEM)
@api.doc(responses={204: "Workers go on; jobs that are paused themselves stay so"})
def resume_everything() -> Response:
    """Resume everything"""
    services = get_services()
    with services.db.write() as session:
        pauses.resume_everything(session, current_actor())
    services.tasks.wake_inference(WOKEN)
    return Response(status=204)
