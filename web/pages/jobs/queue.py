"""Forms of a job's page that pause and resume it, or let it go first."""

from contextlib import suppress
from uuid import UUID

from flask import Blueprint, Response, request, url_for

from core.accounts.rights import Right
from core.base.errors import Conflict
from core.jobs.control import pausing
from web.http.context import get_services
from web.http.redirects import own_path, see_other
from web.http.rights import current_actor, needs
from web.schemas.operations import PRIORITIES

pages = Blueprint("queue_pages", __name__)


@pages.post("/jobs/<uuid:uuid>/pause")
@needs(Right.SEND, own=True)
def pause_job(uuid: UUID) -> Response:
    """Pause a job; one that has ended shows its result."""
    with suppress(Conflict), get_services().db.write() as session:
        pausing.pause_job(session, current_actor(), uuid)
    return _see_back(uuid)


@pages.post("/jobs/<uuid:uuid>/resume")
@needs(Right.SEND, own=True)
def resume_job(uuid: UUID) -> Response:
    """Resume a paused job."""
    services, n_chunks = get_services(), 0
    with suppress(Conflict), services.db.write() as session:
        job = pausing.resume_job(session, current_actor(), uuid)
        n_chunks = job.n_chunks - job.n_chunks_done
    services.tasks.wake_inference(n_chunks)
    return _see_back(uuid)


@pages.post("/jobs/<uuid:uuid>/priority")
@needs(Right.SEND, own=True)
def set_priority(uuid: UUID) -> Response:
    """Let a job go first, or no longer."""
    name = request.form.get("priority", "")
    priority = next((value for known, value in PRIORITIES.items() if known == name), pausing.Priority.NORMAL)
    with suppress(Conflict), get_services().db.write() as session:
        pausing.set_priority(session, current_actor(), uuid, priority)
    return _see_back(uuid)


def _see_back(uuid: UUID) -> Response:
    return see_other(own_path("back", url_for("job_pages.show_job", uuid=uuid)))
