"""Forms of the System page: pause and resume everything, retry all failed jobs."""

from flask import Blueprint, Response, url_for

from core.accounts.rights import Right
from core.jobs.control import retry_failed
from core.operations import pauses
from web.http.context import get_services
from web.http.redirects import see_other
from web.http.rights import current_actor, needs

pages = Blueprint("system_queue_pages", __name__, url_prefix="/system")

WOKEN = 64  # each worker goes on until nothing is ready


@pages.post("/pause")
@needs(Right.SYSTEM)
def pause_everything() -> Response:
    """Pause everything."""
    with get_services().db.write() as session:
        pauses.pause_everything(session, current_actor())
    return _see_system()


@pages.post("/resume")
@needs(Right.SYSTEM)
def resume_everything() -> Response:
    """Resume everything."""
    services = get_services()
    with services.db.write() as session:
        pauses.resume_everything(session, current_actor())
    services.tasks.wake_inference(WOKEN)
    return _see_system()


@pages.post("/retry")
@needs(Right.SYSTEM)
def retry_failed_jobs() -> Response:
    """Retry all failed jobs; those that cannot be retried stay in the list."""
    services, actor = get_services(), current_actor()
    with services.db.read() as session:
        uuids = retry_failed.list_failed(session, actor)
    retried = retry_failed.retry_all(services.db, actor, uuids)
    services.tasks.wake_inference(retried.n_chunks)
    return _see_system()


def _see_system() -> Response:
    return see_other(url_for("system_pages.show_system"))
