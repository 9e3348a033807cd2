"""Authentication: a bearer token, or the cookie of a session that was opened with a token.

Unsafe requests of a session carry a CSRF token (header X-CSRF-Token or form field csrf_token). Bearer requests need
none, because no browser adds a bearer token by itself. A session outlives the token that opened it, because each start
of `pawsort up` creates a new token. A new PAWSORT_SECRET_KEY ends all sessions.
"""

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlencode

from apiflask import APIFlask
from flask import Blueprint, Flask, Response, current_app, g, render_template, request, session
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import CSRFProtect, ValidationError, validate_csrf
from sqlalchemy.exc import SQLAlchemyError

from core.accounts import accounts, people
from core.accounts.rights import Actor, Right, Via
from core.base.config import Settings
from web.http.context import get_services
from web.http.problems import problem
from web.http.redirects import own_path, see_other
from web.http.rights import current_actor, find_actor, find_need, needs, public

SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))
SESSION_DAYS = 30
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")

View = TypeVar("View", bound=Callable[..., Any])

login_pages = Blueprint("auth", __name__)


class DynamicSecureSessions(SecureCookieSessionInterface):
    """Marks the cookie Secure if the request came over HTTPS, so that plain http://localhost works too."""

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure


def register_auth(app: APIFlask, settings: Settings) -> None:
    """Add sessions, the check before every view, and the routes to log in and out."""
    app.session_interface = DynamicSecureSessions()
    app.config.update(
        SECRET_KEY=settings.secret_key.get_secret_value(),
        # Cookies ignore ports, and two instances on one machine must not overwrite each other's cookie.
        SESSION_COOKIE_NAME=f"pawsort_{settings.port}",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=SESSION_DAYS * 86400,
        SESSION_REFRESH_EACH_REQUEST=False,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
    )
    CSRFProtect(app)
    app.before_request(authenticate)
    app.jinja_env.globals["can"] = can
    app.register_blueprint(login_pages)


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
            g.actor = _find_actor(_bearer_token())
        except SQLAlchemyError:  # an error page can do without
            g.actor = None
    actor = find_actor()
    return actor is not None and actor.may(Right(right))


def authenticate() -> Response | None:
    """Find who sent this request, or refuse it with a login page or an error."""
    view = current_app.view_functions.get(request.endpoint or "")
    need = find_need(view) if view is not None else None
    if need is None or need.right is None:
        return None
    token = _bearer_token()
    actor = _find_actor(token)
    if actor is None:
        return _refuse(token is not None)
    g.actor = actor
    g.needs_csrf = token is None and request.method not in SAFE_METHODS
    if g.needs_csrf and not getattr(view, "checks_csrf", False):
        return check_csrf()
    return None


def check_csrf() -> Response | None:
    """Refuse an unsafe request of a session without the session's CSRF token."""
    sent = request.headers.get("X-CSRF-Token", "")
    if not sent and request.mimetype in FORM_TYPES:
        sent = request.form.get("csrf_token", "")
    return refuse_csrf(sent)


def refuse_csrf(sent: str) -> Response | None:
    """Refuse this request if it needs a CSRF token and `sent` is not the one of the session."""
    if not g.get("needs_csrf", True):
        return None
    try:
        validate_csrf(sent)
    except ValidationError as error:
        return problem(
            403,
            f"{error} Expected this session's token in the header X-CSRF-Token or in the form field csrf_token."
            " Reload the page and try again.",
        )
    return None


def log_in(token: str) -> bool:
    """Open a session for the user with this token; False if the token is not valid."""
    with get_services().db.read() as db_session:
        user = accounts.find_user_by_token(db_session, token)
    if user is None:
        return False
    session.clear()
    session.permanent = True
    session["user_id"] = user.id
    return True


@login_pages.get("/login")
@public
def show_login() -> Response | str | tuple[str, int]:
    """The login page. With `?token=`, as in the link that `pawsort up` prints, it logs in at once."""
    token = request.args.get("token", "")
    return _log_in_and_go(token) if token else render_template("system/login.html", error=None, next=_next())


@login_pages.post("/login")
@public
def submit_login() -> Response | tuple[str, int]:
    """Log in with the form of the login page."""
    return _log_in_and_go(request.form.get("token", "").strip())


@login_pages.post("/logout")
@needs(Right.SEE)
def log_out() -> Response:
    """End the session of this browser."""
    session.clear()
    return see_other("/login")


def _log_in_and_go(token: str) -> Response | tuple[str, int]:
    if log_in(token):
        return see_other(_next())
    message = "That token isn’t valid. Open the link that “pawsort up” printed, or run “pawsort token create”."
    return render_template("system/login.html", error=message, next=_next()), 401


def _bearer_token() -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _find_actor(token: str | None) -> Actor | None:
    """The person with this token or, without a token, the person of the session."""
    if token is None and "user_id" not in session:
        return None
    with get_services().db.read() as db_session:
        if token is not None:
            user = accounts.find_user_by_token(db_session, token)
        else:
            user = accounts.find_user(db_session, session["user_id"])
    via: Via = "session" if token is None else "token"
    return None if user is None else people.act_as(user, via, address=request.remote_addr)


def _refuse(had_token: bool) -> Response:
    if not had_token and not request.path.startswith("/api/") and request.method in SAFE_METHODS:
        path = request.full_path.rstrip("?")
        return see_other("/login" if path == "/" else f"/login?{urlencode({'next': path}, safe='/')}")
    sentence = "That token isn't valid, or it was revoked." if had_token else "This call needs a login."
    return problem(
        401,
        f"{sentence} Send `Authorization: Bearer TOKEN`; `pawsort token create` prints a new one.",
        {"WWW-Authenticate": 'Bearer realm="pawsort"'},
    )


def _next() -> str:
    return own_path("next", "/")
