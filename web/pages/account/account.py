"""The account of the person who is logged in: role, usage, tokens, and the browsers that are logged in."""

from dataclasses import dataclass

from flask import Blueprint, Response, render_template, request, url_for

from core.accounts import own_tokens, sessions, tokens
from core.accounts.openid import identities
from core.accounts.passwords import passwords
from core.accounts.rights import Right
from core.accounts.tokens import DEFAULT_DAYS
from core.base.errors import Forbidden, Invalid
from core.orm.accounts import Token
from core.uploads import usage
from core.uploads.usage import Quota
from web.http.access.credentials import current_credential
from web.http.context import get_services
from web.http.paths import SESSION_ID, TOKEN_ID
from web.http.redirects import see_other
from web.http.rights import current_actor, needs
from web.pages.account.agents import describe_agent

pages = Blueprint("account_pages", __name__)

DAYS = (7, 30, 90, 365)


@dataclass(frozen=True)
class TokenForm:
    """The form for a new token as it was sent; `error` says what is wrong with it."""

    name: str = ""
    days: int = DEFAULT_DAYS
    scopes: frozenset[Right] = frozenset((Right.SEE, Right.LABEL, Right.SEND))
    error: str | None = None


@pages.get("/account")
@needs(Right.SEE)
def show_account() -> str:
    """Role, usage, tokens and sessions."""
    return _show()


@pages.post("/account/tokens")
@needs(Right.SEE)
def create_token() -> str | tuple[str, int]:
    """Make a token and show it, this one time."""
    form = _read_form()
    try:
        with get_services().db.write() as session:
            new = own_tokens.create_own_token(
                session, current_credential(), current_actor(), form.name, form.days, form.scopes
            )
    except (Invalid, Forbidden) as error:
        return _show(form=TokenForm(form.name, form.days, form.scopes, error.message)), 422
    return _show(new_name=new.token.name, new_key=new.key)


@pages.post(f"/account/tokens/{TOKEN_ID}/revoke")
@needs(Right.SEE)
def revoke_token(token_id: int) -> Response:
    """Make one of one's tokens stop working."""
    with get_services().db.write() as session:
        tokens.revoke_token(session, current_actor(), token_id)
    return see_other(url_for("account_pages.show_account", _anchor="tokens"))


@pages.post(f"/account/sessions/{SESSION_ID}/end")
@needs(Right.SEE)
def end_session(session_id: int) -> Response:
    """Log one browser out."""
    with get_services().db.write() as session:
        sessions.end_own_session(session, current_actor(), session_id)
    return see_other(url_for("account_pages.show_account", _anchor="sessions"))


@pages.post("/account/sessions/end-others")
@needs(Right.SEE)
def end_other_sessions() -> Response:
    """Log every other browser out."""
    with get_services().db.write() as session:
        sessions.end_other_sessions(session, current_actor())
    return see_other(url_for("account_pages.show_account", _anchor="sessions"))


def _show(form: TokenForm | None = None, new_name: str | None = None, new_key: str | None = None) -> str:
    actor, credential, services = current_actor(), current_credential(), get_services()
    with services.db.read() as session:
        used = usage.read_usage(session, actor.user_id, Quota.from_settings(services.settings))
        own = tokens.list_tokens(session, actor.user_id)
        opened = sessions.list_sessions(session, actor.user_id)
        is_recent = sessions.is_recent_login(session, actor)
        has_password = passwords.has_password(session, actor.user_id)
        connected = identities.list_of_person(session, actor.user_id)
    return render_template(
        "account/account.html",
        person=credential.user,
        rights=[right for right in Right if actor.may(right)],
        used=used,
        is_limited=credential.scopes is not None,
        has_password=has_password,
        identities=connected,
        provider=services.provider.settings if services.provider else None,
        tokens=[(one, _scope_words(one)) for one in own],
        sessions=[(one, describe_agent(one.agent)) for one in opened],
        own_session_id=_own_session_id(),
        is_recent=is_recent,
        form=form or TokenForm(),
        days=DAYS,
        new_name=new_name,
        new_key=new_key,
    )


def _read_form() -> TokenForm:
    chosen = frozenset(right for right in Right if right in request.form.getlist("scope"))
    return TokenForm(request.form.get("name", ""), request.form.get("days", 0, type=int), chosen)


def _scope_words(token: Token) -> str:
    scopes = tokens.parse_scopes(token.scopes)
    return "everything that your role allows" if scopes is None else ", ".join(one for one in Right if one in scopes)


def _own_session_id() -> int | None:
    credential = current_credential()
    return credential.id if credential.kind == "session" else None
