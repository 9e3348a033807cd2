"""Bearer tokens of programs. A token has a name, perhaps fewer rights than its person, and an end; it is shown once."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Update, and_, or_, select, update
from sqlalchemy.orm import Session

from core.accounts.accounts import get_or_create_owner
from core.accounts.audit_log import Action, record
from core.accounts.keys import digest_of, new_key
from core.accounts.rights import ROLE_RIGHTS, Actor, Right, Role, check_may_end
from core.base.clock import DAY_S, db_now
from core.base.database import change
from core.base.errors import Conflict, NotFound
from core.base.names import MAX_SHORT_NAME, check_printable_name
from core.orm.accounts import Token, User

DEFAULT_DAYS = 90


@dataclass(frozen=True)
class NewToken:
    """A token just made: its row, and the key that programs send, 43 characters that cannot be shown again."""

    token: Token
    key: str


def add_token(
    session: Session,
    name: str,
    user: User,
    *,
    days: int | None,
    scopes: AbstractSet[Right] | None = None,
    actor: Actor | None = None,
) -> NewToken:
    """Make a bearer token.

    Args:
        actor: Who makes it; None for Pawsort itself, whose own tokens are not recorded.
        name: What it is for; shown in lists.
        days: How long it works; None for ever.
        scopes: The rights it is limited to; None for all of its person.
    Raises:
        Invalid: The name is empty, too long, or contains characters that cannot be printed.
        Conflict: The person is disabled.
    """
    if user.disabled_at is not None:
        raise Conflict(f"“{user.name}” is disabled. Enable this person first.")
    key = new_key()
    token = Token(
        user_id=user.id,
        name=check_printable_name(name, MAX_SHORT_NAME),
        digest=digest_of(key),
        scopes=None if scopes is None else " ".join(right for right in Right if right in scopes),
        expires_at=None if days is None else db_now(days * DAY_S),
    )
    session.add(token)
    session.flush()
    session.refresh(token)
    if actor is not None:
        record(session, actor, Action.TOKEN_CREATE, "token", token.id, name=token.name, user_id=user.id)
    return NewToken(token, key)


def create_token(
    session: Session,
    name: str,
    user: User | None = None,
    *,
    days: int | None = DEFAULT_DAYS,
    scopes: AbstractSet[Right] | None = None,
) -> str:
    """Make a bearer token as `add_token`, the owner's where no person is given; returns its key."""
    return add_token(session, name, user or get_or_create_owner(session), days=days, scopes=scopes).key


def parse_scopes(scopes: str | None) -> frozenset[Right] | None:
    """The rights that a token is limited to; None for all of its person."""
    return None if scopes is None else frozenset(map(Right, scopes.split()))


def replace_token(session: Session, name: str) -> str:
    """A new token of the owner under a name, without an end; those that had the name before stop working."""
    owner = get_or_create_owner(session)
    change(session, _revoke().where(Token.user_id == owner.id, Token.name == name))
    return create_token(session, name, owner, days=None)


def revoke_token(session: Session, actor: Actor, token_id: int) -> Token:
    """Make a token stop working, the sessions that were opened with it, and the tokens that were made with it.

    Raises:
        NotFound: There is no such token, or it belongs to somebody else and the actor does not manage people.
        Forbidden: It has more rights than the actor, who does not manage people.
    """
    token = session.get(Token, token_id)
    if token is None or not (token.user_id == actor.user_id or actor.may(Right.PEOPLE)):
        raise NotFound(f"There is no token {token_id} of yours.")
    if not actor.may(Right.PEOPLE):
        check_may_end(actor, _rights_of(session, token), f"token {token_id}")
    _revoke_with_heirs(session, actor, token)
    return token


def revoke_all(session: Session, actor: Actor, user_id: int) -> None:
    """Make every token of a person stop working."""
    for token in list_tokens(session, user_id):
        _revoke_with_heirs(session, actor, token)


def _rights_of(session: Session, token: Token) -> frozenset[Right]:
    of_role = ROLE_RIGHTS[Role(session.get_one(User, token.user_id).role)]
    scopes = parse_scopes(token.scopes)
    return of_role if scopes is None else of_role & scopes


def _revoke_with_heirs(session: Session, actor: Actor, token: Token) -> None:
    if change(session, _revoke().where(Token.id == token.id)):
        record(session, actor, Action.TOKEN_REVOKE, "token", token.id, name=token.name, user_id=token.user_id)
    heirs = select(Token).where(Token.made_with == token.id, Token.user_id == token.user_id, is_valid())
    for heir in session.scalars(heirs).all():
        _revoke_with_heirs(session, actor, heir)


def list_tokens(session: Session, user_id: int | None = None) -> list[Token]:
    """The tokens that work, of one person or of everybody, the newest first."""
    valid = select(Token).where(is_valid()).order_by(Token.id.desc())
    return list(session.scalars(valid if user_id is None else valid.where(Token.user_id == user_id)))


def is_valid() -> ColumnElement[bool]:
    """SQL for whether a token is neither revoked nor expired."""
    return and_(Token.revoked_at.is_(None), or_(Token.expires_at.is_(None), Token.expires_at > db_now()))


def _revoke() -> Update:
    return update(Token).where(Token.revoked_at.is_(None)).values(revoked_at=db_now())
