"""Authentication: a bearer token, or the session of a browser; and the check before every view.

Sessions live in SQL, and the signed cookie has only their key (`web.http.access.sessions`). A new PAWSORT_SECRET_KEY
ends all sessions.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlencode

from apiflask import APIFlask
from flask import Response, current_app, g, request
from flask_wtf.csrf import CSRFProtect
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core.accounts import credentials
from core.accounts.rights import Actor, Right, check_right
from core.base.config import Settings
from core.base.errors import Unauthenticated
from core.orm.accounts import User
from web.http.access.credentials import bearer_token, current_credential, find_credential, note_refusal
from web.http.access.csrf import check_csrf, is_unsafe
from web.http.access.sessions import open_browser_session, register_sessions
from web.http.context import get_services
from web.http.problems import problem
from web.http.redirects import see_other
from web.http.rights import current_actor, find_actor, find_current_need

View = TypeVar("View", bound=Callable[..., Any])

LONG_BYTES = 2**18


def register_auth(app: APIFlask, settings: Settings) -> None:
    """Add sessions, and find who sends each request."""
    register_sessions(app, settings)
    app.config.update(WTF_CSRF_CHECK_DEFAULT=False, WTF_CSRF_TIME_LIMIT=None)
    CSRFProtect(app)
    app.before_request(identify)
    app.after_request(_check_while_sending)
    app.jinja_env.globals.update(can=can, is_logged_out=is_logged_out, may_change=may_change)


def register_login_check(app: APIFlask) -> None:
    """Refuse requests without a login or a CSRF token. Call it after `register_limits`: they count there, too."""
    app.before_request(authenticate)


def checks_csrf_itself(view: View) -> View:
    """Mark a view that reads its form as a stream and passes the CSRF token in it to `refuse_csrf`."""
    view.checks_csrf = True  # type: ignore[attr-defined]
    return view


def current_user_id() -> int:
    """The user who sent this request.

    Raises:
        Unauthorized: No user is logged in, which happens in public views only.
    """
    return current_actor().user_id


def can(right: str) -> bool:
    """Whether the person who sent this request has a right; also known on public pages and pages of errors."""
    if "actor" not in g:
        try:
            g.actor = _find_actor()
        except SQLAlchemyError:  # an error page can do without
            g.actor, g.is_actor_unknown = None, True
    actor = find_actor()
    return actor is not None and actor.may(Right(right))


def is_logged_out() -> bool:
    """Whether it is known that nobody is logged in, so that the menu would lead nowhere."""
    return not can(Right.SEE) and not g.get("is_actor_unknown", False)


def may_change(user_id: int | None) -> bool:
    """Whether the person who sent this request may change a job that the person `user_id` made."""
    return can(Right.SEND) and current_actor().may_change(user_id)


def log_in_user(user: User, way: str, token_id: int | None = None) -> None:
    """Open a session for a person in the browser that sent this request.

    Args:
        way: How the person logs in, for the audit log.
        token_id: The token that the person logs in with, if it is one: the session has its rights, and ends with it.
    """
    open_browser_session(user, way, token_id)


def identify() -> None:
    """Find who sent this request, where its view needs somebody."""
    need = find_current_need()
    if need is not None and need.right is not None and (actor := _find_actor()) is not None:
        g.actor = actor


def authenticate() -> Response | None:
    """Refuse a request that lacks a login, with a login page or an error, or a CSRF token."""
    need = find_current_need()
    if need is None:
        return None
    has_token = bearer_token() is not None
    if need.right is not None and find_actor() is None:
        if has_token:
            note_refusal("token")
        return _refuse(has_token)
    g.needs_csrf = not has_token and is_unsafe()
    if g.needs_csrf and not getattr(current_app.view_functions[request.endpoint or ""], "checks_csrf", False):
        return check_csrf()
    return None


def check_again() -> None:
    """Refuse the rest of a request whose person has been shut out since it began.

    Raises:
        Unauthenticated: The token or session has ended.
        Forbidden: The person has no right to use the view any more.
    """
    before, actor = find_credential(), find_actor()
    if before is None or actor is None:
        return
    try:
        with get_services().db.read() as db_session:
            now = credentials.find_again(db_session, before)
    except SQLAlchemyError:  # it will answer the next time, and what is sent is not stored without it
        return
    if now is None:
        raise Unauthenticated(
            f"This {before.kind} has ended: it was revoked, has expired, or its person was disabled. Nothing more was"
            " accepted; what had arrived completely before is kept."
        )
    need = find_current_need()
    if need is not None and need.right is not None:
        check_right(now.act(actor.address), need.right)


def still_lets_in() -> Callable[[Session], bool]:
    """Whether the token or session of this request lets its person use the view later on; for any thread to ask."""
    before, need = current_credential(), find_current_need()
    right = (need and need.right) or Right.SEE

    def ask(db_session: Session) -> bool:
        now = credentials.find_again(db_session, before)
        return now is not None and now.act(None).may(right)

    return ask


def _check_while_sending(response: Response) -> Response:
    """Let the server ask, while it sends a download, whether its person has been shut out (web.server)."""
    connection = request.environ.get("gunicorn.socket")
    is_long = response.is_streamed or (response.content_length or 0) > LONG_BYTES
    if connection is None or find_actor() is None or not is_long or response.status_code >= HTTPStatus.BAD_REQUEST:
        return response
    db, ask = get_services().db, still_lets_in()

    def may_go_on() -> bool:
        try:
            with db.read() as db_session:
                return ask(db_session)
        except SQLAlchemyError:  # it will answer the next time
            return True

    connection.may_go_on = may_go_on
    return response


def _find_actor() -> Actor | None:
    credential = find_credential()
    return None if credential is None else credential.act(request.remote_addr)


def _refuse(had_token: bool) -> Response:
    if not had_token and not request.path.startswith("/api/") and not is_unsafe():
        path = request.full_path.rstrip("?")
        return see_other("/login" if path == "/" else f"/login?{urlencode({'next': path}, safe='/')}")
    sentence = "That token isn't valid, has expired, or was revoked." if had_token else "This call needs a login."
    return problem(
        401,
        f"{sentence} Send `Authorization: Bearer TOKEN`; your page Account, or `pawsort token create` on the server,"
        " makes a new one.",
        {"WWW-Authenticate": 'Bearer realm="pawsort"'},
    )
