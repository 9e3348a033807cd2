"""The notice about a person's role, on the list of jobs until the person dismisses it: after an upgrade or a change."""

from flask import Blueprint, Flask, Response, url_for

from core.accounts import people
from core.accounts.rights import Right, Role
from web.http.access.credentials import current_credential
from web.http.auth import current_user_id
from web.http.context import get_services
from web.http.redirects import see_other
from web.http.rights import needs

pages = Blueprint("role_notice_pages", __name__)

WORDS = {
    Role.VIEWER: "You can see all jobs, pictures and models, and change nothing. An admin can give you another role.",
    Role.MEMBER: "You can upload, train, label, and change what you made. Admins change what others made, and decide"
    " about models and schedules.",
    Role.ADMIN: "You can also change what others made, and manage models, schedules and people.",
}


def register_role_notice(app: Flask) -> None:
    """Let the list of jobs show the notice."""
    app.jinja_env.globals["role_notice"] = find_notice


def find_notice() -> tuple[Role, str] | None:
    """The role of the person who sent this request, and what it means; None once it has been dismissed."""
    user = current_credential().user
    return (Role(user.role), WORDS[Role(user.role)]) if user.has_role_notice else None


@pages.post("/account/role-notice")
@needs(Right.SEE)
def dismiss_notice() -> Response:
    """Show it no more."""
    with get_services().db.write() as session:
        people.dismiss_role_notice(session, current_user_id())
    return see_other(url_for("job_pages.list_jobs"))
