"""What the links of admins open: joining by an invitation, and a new password. Opening a link changes nothing."""

from typing import Any

from flask import Blueprint, Response, render_template, request
from sqlalchemy.orm import Session

from core.accounts import accounts, audit_log, invitations, people_list, sessions
from core.accounts.audit_log import Action
from core.accounts.invitations import LINK_IS_OVER
from core.accounts.passwords import passwords
from core.accounts.people import act_as
from core.accounts.rights import Role
from core.base.errors import Conflict, Gone, Invalid
from core.orm.accounts import Invitation, User
from web.http.auth import log_in_user
from web.http.context import get_services
from web.http.redirects import see_other
from web.http.rights import public

pages = Blueprint("invitation_pages", __name__)

Answer = Response | str | tuple[str, int]

# What a role means, in a sentence that begins with "you".
MEANINGS = {
    Role.VIEWER: "you can see all jobs, pictures and models.",
    Role.MEMBER: "you can see everything, upload and label pictures, and change what you made.",
    Role.ADMIN: "you can see and change everything, and manage people.",
}


@pages.get("/invitation")
@public
def show_invitation() -> Answer:
    """The form to join."""
    return _show_invitation()


@pages.post("/invitation")
@public
def accept() -> Answer:
    """Join with a name and a password, and log in."""
    db, name = get_services().db, request.form.get("name", "")
    invitation = _find_open(is_reset=False)
    if invitation is None:
        return _show_over()
    try:
        words = (name, invitation.email or "")
        encoded = passwords.hash_new_password(request.form.get("password", ""), *words)
        with db.write() as session:
            user = invitations.accept(session, invitation, name)
            passwords.keep_password(session, user.id, encoded)
            _record(session, user, Action.INVITATION_ACCEPT, "invitation", invitation.id)
    except Gone:
        return _show_over()
    except (Invalid, Conflict) as error:
        return _show_invitation(error.message)
    log_in_user(user, "invitation")
    return see_other("/")


@pages.get("/new-password")
@public
def show_reset() -> Answer:
    """The form for a new password."""
    return _show_reset()


@pages.post("/new-password")
@public
def set_password() -> Answer:
    """Set the new password, end all sessions of the person, and log in."""
    db = get_services().db
    reset = _find_open(is_reset=True)
    if reset is None or reset.user_id is None:
        return _show_over()
    try:
        with db.read() as session:
            user = people_list.get_person(session, reset.user_id)
        if user.disabled_at is not None:
            return _show_over()
        encoded = passwords.hash_new_password(request.form.get("password", ""), user.name)
        with db.write() as session:
            invitations.use(session, reset)
            passwords.keep_password(session, user.id, encoded)
            n_ended = sessions.end_sessions(session, user.id)
            _record(session, user, Action.PASSWORD_CHANGE, "user", user.id, by="link", n_sessions_ended=n_ended)
    except Gone:
        return _show_over()
    except Invalid as error:
        return _show_reset(error.message)
    log_in_user(user, "password link")
    return see_other("/account?password=reset")


def _find_open(is_reset: bool) -> Invitation | None:
    with get_services().db.read() as session:
        return invitations.find_open(session, request.args.get("code", ""), is_reset)


def _show_invitation(problem: str | None = None) -> Answer:
    invitation = _find_open(is_reset=False)
    if invitation is None:
        return _show_over()
    provider = get_services().provider
    with get_services().db.read() as session:
        inviter = accounts.list_names(session).get(invitation.created_by, accounts.OWNER)
    page = render_template(
        "people/invitation.html",
        invitation=invitation,
        inviter=inviter,
        meaning=MEANINGS[Role(invitation.role or "")],
        code=request.args.get("code", ""),
        name=request.form.get("name", invitation.name or ""),
        provider=provider.settings if provider else None,
        problem=problem,
    )
    return page if problem is None else (page, 422)


def _show_reset(problem: str | None = None) -> Answer:
    reset = _find_open(is_reset=True)
    if reset is None or reset.user_id is None:
        return _show_over()
    with get_services().db.read() as session:
        person = people_list.get_person(session, reset.user_id)
    page = render_template(
        "people/new_password.html", person=person, code=request.args.get("code", ""), problem=problem
    )
    return page if problem is None else (page, 422)


def _show_over() -> Answer:
    return render_template("people/link_over.html", sentence=LINK_IS_OVER), 410


def _record(session: Session, user: User, action: Action, object_kind: str, object_id: int, **details: Any) -> None:
    actor = act_as(user, "session", address=request.remote_addr)
    audit_log.record(session, actor, action, object_kind, object_id, **details)
