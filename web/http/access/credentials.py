"""The token or session that a request is let in with. It is looked up once for each request."""

from typing import cast

import structlog
from flask import g, request
from sqlalchemy.exc import SQLAlchemyError

from core.accounts import credentials
from core.accounts.audit_log import record_refused_login
from core.accounts.credentials import Credential, Kind
from core.base.errors import Unauthenticated
from web.http.access.sessions import find_session_key
from web.http.context import get_services

log = structlog.get_logger("web")


def bearer_token() -> str | None:
    """The bearer token of this request, valid or not."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def find_credential() -> Credential | None:
    """The valid bearer token of this request or, without any, the open session of its browser."""
    if "credential" not in g:
        g.credential = _look_up()
        if g.credential is not None and g.credential.is_to_be_noted:
            _note_use(g.credential)
    return cast(Credential | None, g.credential)


def current_credential() -> Credential:
    """The token or session of this request.

    Raises:
        Unauthenticated: There is none, which happens in public views only.
    """
    credential = find_credential()
    if credential is None:
        raise Unauthenticated("You need to log in.")
    return credential


def note_refusal(kind: Kind) -> None:
    """Record that a token or a login was not accepted."""
    try:
        record_refused_login(get_services().db, kind, request.remote_addr or "")
    except SQLAlchemyError as error:
        log.warning("refusal not recorded", kind=kind, error=str(error))


def _look_up() -> Credential | None:
    token, key = bearer_token(), find_session_key()
    if token is None and key is None:
        return None
    with get_services().db.read() as db_session:
        if token is not None:
            return credentials.find_credential(db_session, "token", token)
        return credentials.find_credential(db_session, "session", key or "")


def _note_use(credential: Credential) -> None:
    """Write that it was used. A database that takes no writes at the moment must not keep people from reading."""
    try:
        with get_services().db.write() as db_session:
            credentials.note_use(db_session, credential)
    except SQLAlchemyError as error:
        log.warning("use not noted", credential=f"{credential.kind} {credential.id}", error=str(error))
