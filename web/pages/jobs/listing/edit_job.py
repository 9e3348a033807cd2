"""The name and the tags of a job, and handing it over."""

from uuid import UUID

from flask import Blueprint, Response, render_template, request, url_for

from core.accounts.rights import Right
from core.base.errors import Invalid, NotFound
from core.jobs import handover, jobs
from core.jobs.listing import tags
from core.jobs.progress import describe
from web.http.context import get_services
from web.http.redirects import own_path, see_other
from web.http.rights import current_actor, needs

pages = Blueprint("edit_job_pages", __name__)


@pages.get("/jobs/<uuid:uuid>/edit")
@needs(Right.SEND, own=True)
def edit_job(uuid: UUID, problem: str | None = None) -> str:
    """The form; with a problem, it has what was typed."""
    with get_services().db.read() as session:
        view = describe(session, jobs.check_own(current_actor(), jobs.get_job(session, uuid)))
        all_tags = tags.list_tags(session)
        people = handover.list_recipients(session) if current_actor().may(Right.OTHERS) else []
    return render_template(
        "jobs/edit.html",
        job=view,
        name=request.form.get("name", view.name),
        tags=request.form.get("tags", ", ".join(view.tags)),
        all_tags=all_tags,
        people=people,
        back=own_path("back", url_for("job_pages.show_job", uuid=uuid)),
        problem=problem,
    )


@pages.post("/jobs/<uuid:uuid>/edit")
@needs(Right.SEND, own=True)
def save_job(uuid: UUID) -> Response | tuple[str, int]:
    """Save name and tags, and go back to where the form was opened."""
    given = [tag for tag in request.form.get("tags", "").split(tags.SEPARATOR) if tag.strip()]
    try:
        with get_services().db.write() as session:
            jobs.update_job(session, current_actor(), uuid, name=request.form.get("name", ""), tags=given)
    except Invalid as error:
        return edit_job(uuid, error.message), 422
    return see_other(own_path("back", url_for("job_pages.show_job", uuid=uuid)))


@pages.post("/jobs/<uuid:uuid>/owner")
@needs(Right.OTHERS)
def hand_over_job(uuid: UUID) -> Response | tuple[str, int]:
    """Give the job, with its upload, to another person."""
    try:
        with get_services().db.write() as session:
            handover.hand_over_job(session, current_actor(), uuid, request.form.get("user", ""))
    except (Invalid, NotFound) as error:
        return edit_job(uuid, error.message), 422
    return see_other(own_path("back", url_for("job_pages.show_job", uuid=uuid)))
