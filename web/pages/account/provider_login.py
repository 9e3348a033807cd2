"""Logging in by the OpenID Connect provider, joining by it, and connecting it to an account.

    /login/provider ─► the provider's page ─► /login/provider/answer ─► logged in, or one more page with a button

The signed cookie keeps what the answer must match, for ten minutes. Joining and connecting need a form, so that no link
gives anybody an account.
"""

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import structlog
from flask import Blueprint, Response, render_template, request, session, url_for

from core.accounts import audit_log, invitations
from core.accounts.openid import identities
from core.accounts.openid.login import Claims, LoginAttempt, LoginRefused
from core.accounts.rights import Right
from core.base.errors import Conflict, Forbidden, Gone, Invalid, NotFound, Unavailable
from core.orm.accounts import User
from web.http.addresses import page_address
from web.http.auth import log_in_user
from web.http.context import get_services
from web.http.redirects import own_path, see_other
from web.http.rights import current_actor, needs, public
from web.pages.account.login import show_form
from web.pages.account.login_methods import check_may_add_login_method, check_recent_login

if TYPE_CHECKING:
    from core.accounts.openid.provider import ProviderClient

pages = Blueprint("provider_login_pages", __name__)

Answer = Response | str | tuple[str, int]

log = structlog.get_logger("web")

ATTEMPT = "provider_attempt"
IDENTITY = "provider_identity"
LIFETIME_S = 600
AWAY = "{label} can’t be reached at the moment. Try again in a minute, or log in in another way."
REFUSED = "The login by {label} was not completed. Try again."
TOO_LATE = "The login took longer than ten minutes, or began in another browser. Try again."


@pages.get("/login/provider")
@public
def start() -> Answer:
    """Go to the provider's page."""
    client = _client()
    try:
        address, attempt = client.start(page_address("provider_login_pages.finish"))
    except Unavailable as error:
        return _away(client, error)
    aims = {"next": own_path("next", "/"), "invitation": request.args.get("invitation", "")[:100]}
    session[ATTEMPT] = asdict(attempt) | aims | {"connects": "connect" in request.args, "at": int(time.time())}
    return see_other(address)


@pages.get("/login/provider/answer")
@public
def finish() -> Answer:
    """Where the provider sends the browser: check its answer, and log in."""
    client, kept = _client(), _take(ATTEMPT)
    if kept is None:
        return show_form(TOO_LATE)
    attempt = LoginAttempt(kept["state"], kept["nonce"], kept["verifier"], kept["redirect_uri"])
    try:
        claims = client.finish(attempt, request.args)
    except LoginRefused as error:
        return _refuse(error.message, REFUSED.format(label=client.settings.label))
    except Unavailable as error:
        return _away(client, error)
    if kept["connects"]:
        return _keep(claims, "", "provider_login_pages.show_connect")
    if kept["invitation"] and not _is_known(claims):
        return _keep(claims, kept["invitation"], "provider_login_pages.show_join")
    return _log_in(client, claims, kept["next"])


@pages.get("/invitation/provider")
@public
def show_join() -> Answer:
    """Ask the invited person for a name."""
    return _show_join()


@pages.post("/invitation/provider")
@public
def join() -> Answer:
    """Join by the invitation, with the identity that the provider gave."""
    kept = _look_at(IDENTITY)
    if kept is None:
        return show_form(TOO_LATE)
    try:
        with get_services().db.write() as db_session:
            invitation = invitations.find_open(db_session, kept["invitation"])
            if invitation is None:
                raise Gone(invitations.LINK_IS_OVER)
            name, claims = request.form.get("name", ""), _as_claims(kept)
            user = identities.accept_invitation(
                db_session, invitation, name, claims, _client().settings, request.remote_addr
            )
    except (Invalid, Conflict, Forbidden) as error:
        return _show_join(error.message)
    log_in_user(user, "provider")
    return see_other("/")


@pages.get("/account/provider")
@needs(Right.SEE)
def show_connect() -> Answer:
    """Ask before an identity of the provider is connected to the account."""
    check_may_add_login_method()
    check_recent_login()
    kept = _look_at(IDENTITY)
    if kept is None:
        return see_other("/account")
    actor, claims = current_actor(), _as_claims(kept)
    return render_template("account/connect.html", name=actor.name, claims=claims, label=_client().settings.label)


@pages.post("/account/provider")
@needs(Right.SEE)
def connect() -> Response:
    """Connect the identity to the account of the person who is logged in."""
    check_may_add_login_method()
    check_recent_login()
    kept, actor = _take(IDENTITY), current_actor()
    if kept is None:
        return see_other("/account")
    with get_services().db.write() as db_session:
        identities.connect(db_session, actor, db_session.get_one(User, actor.user_id), _as_claims(kept))
    return see_other("/account?provider=connected")


@pages.get("/logout/provider")
@public
def log_out_there() -> Response:
    """Go on to the provider's page for logging out."""
    try:
        address = _client().logout_address(page_address("login_pages.show_login"))
    except Unavailable:
        address = None
    return see_other(address or "/login")


def _client() -> "ProviderClient":
    client = get_services().provider
    if client is None:
        raise NotFound("No login provider is set up here. Log in in another way.")
    return client


def _log_in(client: "ProviderClient", claims: Claims, path: str) -> Answer:
    try:
        with get_services().db.write() as db_session:
            user = identities.log_in(db_session, claims, client.settings, request.remote_addr)
    except (Forbidden, Conflict) as error:
        return _refuse(f"{claims.subject} at {claims.issuer}", error.message)
    log_in_user(user, "provider")
    return see_other(path)


def _is_known(claims: Claims) -> bool:
    with get_services().db.read() as db_session:
        return identities.find_person(db_session, claims) is not None


def _refuse(reason: str, sentence: str) -> Answer:
    """Show the login page with a sentence for the person; the reason is for the log."""
    audit_log.record_refused_login(get_services().db, "provider", request.remote_addr or "", reason=reason)
    return show_form(sentence)


def _away(client: "ProviderClient", error: Unavailable) -> Answer:
    log.error("login provider does not answer", issuer=client.settings.issuer, error=error.message)
    return show_form(AWAY.format(label=client.settings.label), status=503)


def _keep(claims: Claims, invitation: str, endpoint: str) -> Response:
    known = asdict(claims) | {"groups": sorted(claims.groups)}
    session[IDENTITY] = known | {"invitation": invitation, "at": int(time.time())}
    return see_other(url_for(endpoint))


def _as_claims(kept: dict[str, Any]) -> Claims:
    return Claims(kept["issuer"], kept["subject"], kept["name"], kept["email"], frozenset(kept["groups"]))


def _look_at(key: str) -> dict[str, Any] | None:
    kept: dict[str, Any] | None = session.get(key)
    return kept if kept is not None and time.time() - kept["at"] < LIFETIME_S else None


def _take(key: str) -> dict[str, Any] | None:
    kept = _look_at(key)
    session.pop(key, None)
    return kept


def _show_join(problem: str | None = None) -> Answer:
    kept = _look_at(IDENTITY)
    if kept is None:
        return show_form(TOO_LATE)
    label = _client().settings.label
    name = request.form.get("name", kept["name"])
    page = render_template("people/join.html", name=name, email=kept["email"], label=label, problem=problem)
    return page if problem is None else (page, 422)
