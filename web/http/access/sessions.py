"""Sessions of browsers: a signed cookie has the key of a row in SQL, and the CSRF token of this browser.

Over HTTPS, the cookie is Secure and its name begins with `__Host-`: no other host and no unencrypted answer can set it.
"""

from typing import cast

from flask import Flask, request, session
from flask.sessions import SecureCookieSessionInterface

from core.accounts import credentials, sessions
from core.accounts.audit_log import Action, record
from core.accounts.sessions import LIMITS_ALONE
from core.base.config import Settings
from core.orm.accounts import User
from web.http.context import get_services

KEY = "key"


class SessionCookies(SecureCookieSessionInterface):
    """One name for the cookie over HTTPS, and one for plain http://localhost."""

    def get_cookie_name(self, app: Flask) -> str:
        name = super().get_cookie_name(app)
        return f"__Host-{name}" if request.is_secure else name

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure


def register_sessions(app: Flask, settings: Settings) -> None:
    """Configure the cookie."""
    key, *former_keys = settings.secret_keys
    app.session_interface = SessionCookies()
    app.config.update(
        SECRET_KEY=key,
        SECRET_KEY_FALLBACKS=former_keys,
        # Cookies ignore ports, and two instances on one machine must not overwrite each other's cookie.
        SESSION_COOKIE_NAME=f"pawsort_{settings.port}",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=LIMITS_ALONE.lifetime_s,
        SESSION_REFRESH_EACH_REQUEST=False,
    )


def find_session_key() -> str | None:
    """The key of this browser's session, if it has one."""
    return cast(str | None, session.get(KEY))


def open_browser_session(user: User, way: str, token_id: int | None = None) -> None:
    """Log a person in with the browser that sent this request; the session that it had ends.

    Args:
        way: How the person logs in, for the audit log.
        token_id: The token that the browser sent, if it did.
    """
    services, earlier_key = get_services(), find_session_key()
    with services.db.write() as db_session:
        if earlier_key is not None:
            sessions.end_session_of_key(db_session, earlier_key)
        limits = sessions.choose_limits(db_session, services.settings.is_loopback)
        agent = request.headers.get("User-Agent")
        key = sessions.open_session(db_session, user, request.remote_addr, agent, limits=limits, token_id=token_id)
        opened = credentials.find_credential(db_session, "session", key)
        if opened is not None:
            record(db_session, opened.act(request.remote_addr), Action.LOGIN, "session", opened.id, way=way)
    session.clear()  # a new CSRF token, too
    session.permanent = True
    session[KEY] = key
