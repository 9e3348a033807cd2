"""Logging in with name and password, and changing the password."""

from flask import Blueprint, Response, render_template, request

from core.accounts import audit_log, sessions
from core.accounts.audit_log import Action, Outcome
from core.accounts.passwords import passwords
from core.accounts.rights import Actor, Right
from core.base.errors import Invalid
from web.http.auth import log_in_user
from web.http.context import get_services
from web.http.redirects import see_other
from web.http.rights import current_actor, needs, public
from web.pages.account.login import next_path, show_form
from web.pages.account.login_methods import check_may_add_login_method, check_recent_login

pages = Blueprint("password_pages", __name__)

Answer = Response | str | tuple[str, int]

WRONG = "Name or password is wrong. If you lost your password, ask an admin for a link to set a new one."
WRONG_CURRENT = "The current password is wrong."


@pages.post("/login/password")
@public
def log_in() -> Answer:
    """Log in with name and password.

    Raises:
        TooMany: There were too many attempts by this name or from this address.
    """
    db, rates = get_services().db, get_services().rates
    name, address = request.form.get("name", "").strip(), request.remote_addr or ""
    rates.check_attempt(name, address)
    user = passwords.find_user_by_password(db, name, request.form.get("password", ""))
    if user is None:
        audit_log.record_refused_login(db, "password", address, name=name)
        return show_form(WRONG, name=name, field="password")
    rates.forget_attempts(name, address)
    log_in_user(user, "password")
    return see_other(next_path())


@pages.get("/account/password")
@needs(Right.SEE)
def show_password() -> Answer:
    """The form to set or change one's own password."""
    check_may_add_login_method()
    return _show_password()


@pages.post("/account/password")
@needs(Right.SEE)
def change_password() -> Answer:
    """Change one's own password, and end all other sessions."""
    check_may_add_login_method()
    db, actor = get_services().db, current_actor()
    try:
        if not _knows_current(actor):
            return _show_password(WRONG_CURRENT)
        encoded = passwords.hash_new_password(request.form.get("password", ""), actor.name)
    except Invalid as error:
        return _show_password(error.message)
    with db.write() as session:
        passwords.keep_password(session, actor.user_id, encoded)
        own = actor.credential_id if actor.via == "session" else None
        n_ended = sessions.end_sessions(session, actor.user_id, except_id=own)
        audit_log.record(
            session, actor, Action.PASSWORD_CHANGE, "user", actor.user_id, by="account page", n_sessions_ended=n_ended
        )
    return see_other("/account?password=changed")


def _knows_current(actor: Actor) -> bool:
    """Whether the form has the current password; for a first one, a recent login is enough.

    Raises:
        TooMany: There were too many attempts, here or on the login page.
    """
    db, rates, address = get_services().db, get_services().rates, actor.address or ""
    with db.read() as session:
        is_first = not passwords.has_password(session, actor.user_id)
    if is_first:
        check_recent_login()
        return True
    rates.check_attempt(actor.name, address)
    if passwords.is_current_password(db, actor.user_id, request.form.get("current", "")):
        rates.forget_attempts(actor.name, address)
        return True
    with db.write() as session:
        audit_log.record(
            session, actor, Action.PASSWORD_CHANGE, "user", actor.user_id, Outcome.REFUSED, by="account page"
        )
    return False


def _show_password(problem: str | None = None) -> Answer:
    actor = current_actor()
    with get_services().db.read() as session:
        is_set = passwords.has_password(session, actor.user_id)
    page = render_template("account/password.html", name=actor.name, has_password=is_set, problem=problem)
    return page if problem is None else (page, 422)
