"""Server-sent events for a job."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response, request
from sqlalchemy.orm import Session

from core.accounts.rights import Right
from core.base.states import ACTIVE_STATES
from core.jobs import jobs
from core.jobs.progress import count_workers, describe_all, with_workers
from core.orm.jobs import Job
from web.http.auth import still_lets_in
from web.http.context import get_services
from web.http.delivery.etags import job_etag
from web.http.limits.at_once import Work, works
from web.http.rights import needs
from web.http.streams.event_stream import HEADERS, MEDIA_TYPE, STREAM
from web.schemas.jobs import JobOut

api = APIBlueprint("job_events", __name__, url_prefix="/api/v1/jobs", tag="Jobs")

EVENTS: Any = {
    "description": "Events of the type `job`, whose data is the job as JSON",
    # Without `type`: some tools read the schema as that of one event with its fields, others as that of the text.
    "content": {MEDIA_TYPE: {"schema": {"description": "`id`, `event` and `data` of each event, as text"}}},
}


@api.get("/<uuid:job_uuid>/events")
@needs(Right.SEE)
@works(Work.STREAM)
@api.doc(responses={200: EVENTS, 204: "The job has ended, and the client has its last event: do not connect again"})
def stream_job(job_uuid: UUID) -> Response:
    """Server-sent events: the job now, and whenever its state or counts change

    The stream ends with the job, and after five minutes: connect again with `Last-Event-ID`, as browsers do by
    themselves. A comment every 15 seconds shows that the connection is alive.
    """
    services, last_id = get_services(), request.headers.get("Last-Event-ID", "")
    with services.db.read() as session:
        job = jobs.get_job(session, job_uuid)
    if job.state not in ACTIVE_STATES and last_id == job_etag(job):
        return Response(status=204)
    if request.method == "HEAD":
        return Response(mimetype=MEDIA_TYPE, headers=HEADERS)
    stream = services.watcher.watch(job.id, last_id, still_lets_in())
    request.environ[STREAM] = stream
    return Response(stream, mimetype=MEDIA_TYPE, headers=HEADERS)


def describe_jobs(session: Session, watched: Sequence[Job], responding_s: float) -> Mapping[int, str]:
    """The data of events: jobs as `GET /jobs/{id}` shows them."""
    views = zip(watched, describe_all(session, watched), strict=True)
    shown = {job.id: with_workers(view, count_workers(session, job, responding_s)) for job, view in views}
    return {job_id: JobOut.from_view(view).model_dump_json() for job_id, view in shown.items()}
