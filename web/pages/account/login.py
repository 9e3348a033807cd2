"""Log in with a one-time code or a token, and log out.

A link with a code shows a button: following it, as previews of links do, logs nobody in and uses nothing up.
"""

from flask import Blueprint, Response, render_template, request, session

from core.accounts import credentials, login_codes, sessions
from core.accounts.audit_log import Action, record
from web.http.access.credentials import find_credential, note_refusal
from web.http.auth import log_in_user
from web.http.context import get_services
from web.http.redirects import own_path, see_other
from web.http.rights import public
from web.http.security import is_trusted_origin

pages = Blueprint("login_pages", __name__)

Answer = Response | str | tuple[str, int]

BAD_CODE = "This link has expired or was used before. “pawsort login” on the server prints a new one."
BAD_TOKEN = "That token isn’t valid. Run “pawsort login” for a link, or “pawsort token create” for a token."  # noqa: S105


@pages.get("/login")
@public
def show_login() -> Answer:
    """The login page. With `?code=`, as in the link that `pawsort up` prints, it has a button that logs in."""
    code = request.args.get("code", "")
    if not code:
        return show_form()
    with get_services().db.read() as db_session:
        user = login_codes.find_user_by_code(db_session, code)
    if user is not None:
        return render_template("account/login_code.html", code=code, user=user, next=next_path())
    if find_credential() is not None:  # the link was followed before
        return see_other(next_path())
    note_refusal("session")
    return show_form(BAD_CODE)


@pages.post("/login")
@public
def submit_login() -> Answer:
    """Log in with the code of a link, or with a token that was typed."""
    rates, address = get_services().rates, request.remote_addr or ""
    rates.check_attempt(None, address)
    error = _try_code(code) if (code := request.form.get("code", "")) else _try_token()
    if error is not None:
        note_refusal("session")
        return show_form(error, field="token")
    rates.forget_attempts(None, address)
    return see_other(next_path())


@pages.post("/logout")
@public
def log_out() -> Response:
    """End the session of this browser, and have the browser forget the pictures that it keeps."""
    credential = find_credential()
    if credential is not None and credential.kind == "session":
        with get_services().db.write() as db_session:
            sessions.end_session(db_session, credential.id)
            record(db_session, credential.act(request.remote_addr), Action.LOGOUT, "session", credential.id)
    session.clear()
    response = see_other("/login?left=1" if get_services().provider else "/login")
    if is_trusted_origin():
        # Not "storage": labels that are not sent yet wait there until the same person logs in again.
        response.headers["Clear-Site-Data"] = '"cache"'
    return response


def _try_code(code: str) -> str | None:
    """Log in with a code; the error, if it isn't valid."""
    with get_services().db.write() as db_session:
        user = login_codes.use_code(db_session, code)
    if user is None:
        return BAD_CODE
    log_in_user(user, "one-time link")
    return None


def _try_token() -> str | None:
    """Log in with the token of the form; the error, if it isn't valid."""
    with get_services().db.read() as db_session:
        token = credentials.find_credential(db_session, "token", request.form.get("token", "").strip())
    if token is None:
        return BAD_TOKEN
    log_in_user(token.user, "token", token.id)
    return None


def show_form(error: str | None = None, name: str = "", field: str = "", status: int = 401) -> Answer:
    """The page with all ways to log in, perhaps with the reason why one of them failed.

    Args:
        name: What was typed as a name.
        field: The field of the form that failed, "password" or "token".
        status: The HTTP status of the answer with an error.
    """
    provider = get_services().provider
    page = render_template(
        "account/login.html",
        error=error,
        name=name,
        field=field,
        next=next_path(),
        provider=provider.settings if provider else None,
        is_left="left" in request.args,
    )
    return page if error is None else (page, status)


def next_path() -> str:
    """Where a login leads."""
    return own_path("next", "/")
