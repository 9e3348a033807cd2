"""What a request is let in with: a bearer token, or the session of a browser."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.accounts import sessions, tokens
from core.accounts.keys import digest_of
from core.accounts.people import act_as
from core.accounts.rights import Actor, Right
from core.base.clock import db_now
from core.base.database import change
from core.orm.accounts import LoginSession, Token, User

NOTED_S = 60.0  # a use is written at most once in this time

Kind = Literal["token", "session"]


@dataclass(frozen=True)
class Credential:
    """A valid token or session.

    Attributes:
        token_id: The token, or the one that the session was opened with.
        scopes: The rights it is limited to; None for all of its person.
        expires_at: When the token ends, or the one that the session was opened with; None for never.
        is_to_be_noted: Its last use was written so long ago that this one should be.
    """

    kind: Kind
    id: int
    user: User
    token_id: int | None
    scopes: frozenset[Right] | None
    expires_at: datetime | None
    is_to_be_noted: bool

    def act(self, address: str | None) -> Actor:
        """The person who uses it, with the rights that both have, at an address."""
        actor = act_as(self.user, self.kind, self.id, address)
        return actor if self.scopes is None else replace(actor, rights=actor.rights & self.scopes)


def find_credential(session: Session, kind: Kind, key: str) -> Credential | None:
    """The token or session of a key; None if it is unknown or does not work any more."""
    table = Token if kind == "token" else LoginSession
    return _find(session, kind, table.digest == digest_of(key))


def find_again(session: Session, credential: Credential) -> Credential | None:
    """The same token or session as it is now; None if it does not work any more."""
    table = Token if credential.kind == "token" else LoginSession
    return _find(session, credential.kind, table.id == credential.id)


def note_use(session: Session, credential: Credential) -> None:
    """Write that it was used just now, unless another request has."""
    table, used_at = (Token, Token.last_used_at) if credential.kind == "token" else (LoginSession, LoginSession.seen_at)
    note = update(table).where(table.id == credential.id, _is_old(used_at)).values({used_at: db_now()})
    change(session, note)


def _find(session: Session, kind: Kind, is_it: ColumnElement[bool]) -> Credential | None:
    if kind == "token":
        found = select(Token.id, User, Token.id, Token.scopes, Token.expires_at, _is_old(Token.last_used_at))
        found = found.join(User, User.id == Token.user_id).where(tokens.is_valid())
    else:
        found = select(LoginSession.id, User, Token.id, Token.scopes, Token.expires_at, _is_old(LoginSession.seen_at))
        found = found.join(User, User.id == LoginSession.user_id)
        found = found.outerjoin(Token, Token.id == LoginSession.token_id)
        found = found.where(sessions.is_open(), or_(LoginSession.token_id.is_(None), tokens.is_valid()))
    row = session.execute(found.where(is_it, User.disabled_at.is_(None))).one_or_none()
    if row is None:
        return None
    credential_id, user, token_id, scopes, expires_at, is_old = row
    return Credential(kind, credential_id, user, token_id, tokens.parse_scopes(scopes), expires_at, is_old)


def _is_old(used_at: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    return or_(used_at.is_(None), used_at < db_now(-NOTED_S))
