"""The page of people, for admins: roles, quotas, disabling, invitations, links for new passwords.

Links are shown once, on the page that answers the form: their codes cannot be read again.
"""

from collections.abc import Callable

from flask import Blueprint, Response, render_template, request, url_for
from sqlalchemy.orm import Session

from core.accounts import accounts, invitations, people, people_list
from core.accounts.rights import Actor, Right, Role
from core.base.errors import Conflict, Invalid
from core.orm.accounts import User
from core.uploads import usage
from core.uploads.usage import NO_QUOTA, PersonUsage, Quota
from web.http.addresses import page_address
from web.http.context import get_services
from web.http.paths import INVITATION_ID, USER_ID
from web.http.redirects import see_other
from web.http.rights import current_actor, needs
from web.pages.people.quota_form import read_quota, show_quota

pages = Blueprint("people_pages", __name__)

Answer = Response | str | tuple[str, int]

ONE = f"/people/{USER_ID}"


@pages.get("/people")
@needs(Right.PEOPLE)
def list_people() -> str:
    """Everybody, with open invitations and a form for a new one."""
    return _show_list()


@pages.post("/people/invitations")
@needs(Right.PEOPLE)
def invite() -> Answer:
    """Make an invitation, and show its link."""
    recipient = request.form.get("recipient", "")
    try:
        role = people.check_role(request.form.get("role", ""))
        with get_services().db.write() as session:
            _, code = invitations.invite(session, current_actor(), role, recipient)
    except (Invalid, Conflict) as error:
        return _show_list(error.message), 422
    article = "an" if role is Role.ADMIN else "a"
    text = f"The person who opens it can join as {article} {role}."
    return _show_link("Invitation link", text, page_address("invitation_pages.show_invitation", code=code))


@pages.post(f"/people/invitations/{INVITATION_ID}/withdraw")
@needs(Right.PEOPLE)
def withdraw_invitation(invitation_id: int) -> Response:
    """Withdraw an open invitation."""
    with get_services().db.write() as session:
        invitations.withdraw(session, current_actor(), invitation_id)
    return _back()


@pages.post(f"{ONE}/role")
@needs(Right.PEOPLE)
def change_role(user_id: int) -> Answer:
    """Give a person another role."""

    def change(session: Session, actor: Actor, user: User) -> None:
        people.set_role(session, actor, user.name, people.check_role(request.form.get("role", "")))

    return _change(user_id, change)


@pages.post(f"{ONE}/quota")
@needs(Right.PEOPLE)
def change_quota(user_id: int) -> Answer:
    """Give a person a quota of their own."""
    return _change(
        user_id, lambda session, actor, user: usage.set_quota(session, actor, user.id, read_quota(request.form))
    )


@pages.post(f"{ONE}/password-link")
@needs(Right.PEOPLE)
def reset_password(user_id: int) -> Answer:
    """Make a link for a new password, and show it."""
    with get_services().db.write() as session:
        user = people_list.get_person(session, user_id)
        code = invitations.create_password_reset(session, current_actor(), user)
    text = f"With it, “{user.name}” sets a new password and is logged out on all devices. Earlier links stop working."
    return _show_link("Link for a new password", text, page_address("invitation_pages.show_reset", code=code))


@pages.get(f"{ONE}/disable")
@needs(Right.PEOPLE)
def confirm_disable(user_id: int) -> str:
    """Ask before a person is disabled."""
    with get_services().db.read() as session:
        return render_template("people/disable.html", person=people_list.get_person(session, user_id))


@pages.post(f"{ONE}/disable")
@needs(Right.PEOPLE)
def disable(user_id: int) -> Answer:
    """Disable a person."""
    return _change(user_id, lambda session, actor, user: people.disable(session, actor, user.name))


@pages.post(f"{ONE}/enable")
@needs(Right.PEOPLE)
def enable(user_id: int) -> Answer:
    """Enable a person again."""
    return _change(user_id, lambda session, actor, user: people.enable(session, actor, user.name))


def _change(user_id: int, change: Callable[[Session, Actor, User], object]) -> Answer:
    """Change a person and go back to the list, which shows why it was refused."""
    try:
        with get_services().db.write() as session:
            change(session, current_actor(), people_list.get_person(session, user_id))
    except (Invalid, Conflict) as error:
        return _show_list(error.message), 409
    return _back()


def _show_list(problem: str | None = None) -> str:
    services = get_services()
    everybody = Quota.from_settings(services.settings)
    with services.db.read() as session:
        used, own = usage.list_usage(session, everybody), usage.list_own_quotas(session)
        return render_template(
            "people/list.html",
            people=[
                (one, used.get(one.id, PersonUsage(0, 0, everybody)), show_quota(own.get(one.id, NO_QUOTA)))
                for one in people_list.list_views(session)
            ],
            everybody=everybody,
            invitations=invitations.list_open(session),
            names=accounts.list_names(session),
            roles=list(Role),
            chosen_role=request.form.get("role", Role.MEMBER),
            recipient=request.form.get("recipient", ""),
            own_id=current_actor().user_id,
            problem=problem,
        )


def _show_link(title: str, text: str, link: str) -> str:
    return render_template("people/link.html", title=title, text=text, link=link)


def _back() -> Response:
    return see_other(url_for("people_pages.list_people"))
