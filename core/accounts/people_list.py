"""People as the list for admins shows them: when they were last seen, and how they log in."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.accounts.accounts import OWNER
from core.accounts.people import list_people
from core.base.clock import db_now
from core.base.errors import NotFound
from core.orm.accounts import LoginSession, Password, ProviderIdentity, Token, User


@dataclass(frozen=True)
class PersonView:
    """One line of the list.

    Attributes:
        last_seen_at: The last request of a session or token, to the minute.
        ways_in: How the person logs in: password, provider, tokens.
    """

    id: int
    name: str
    role: str
    is_owner: bool
    is_disabled: bool
    created_at: datetime
    last_seen_at: datetime | None
    ways_in: list[str]


def list_views(session: Session) -> list[PersonView]:
    """Everybody, by name; disabled people too."""
    seen = _newest(session, LoginSession.user_id, LoginSession.seen_at)
    used = _newest(session, Token.user_id, Token.last_used_at)
    is_valid = Token.revoked_at.is_(None) & (Token.expires_at.is_(None) | (Token.expires_at > db_now()))
    ways = {
        "password": set(session.scalars(select(Password.user_id))),
        "provider": set(session.scalars(select(ProviderIdentity.user_id))),
        "token": set(session.scalars(select(Token.user_id).where(is_valid))),
    }
    return [
        PersonView(
            id=user.id,
            name=user.name,
            role=user.role,
            is_owner=user.name == OWNER,
            is_disabled=user.disabled_at is not None,
            created_at=user.created_at,
            last_seen_at=max(filter(None, (seen.get(user.id), used.get(user.id))), default=None),
            ways_in=[way for way, ids in ways.items() if user.id in ids],
        )
        for user in list_people(session)
    ]


def get_view(session: Session, user_id: int) -> PersonView:
    """One line of the list.

    Raises:
        NotFound: There is no such person.
    """
    views = {view.id: view for view in list_views(session)}
    if user_id not in views:
        raise NotFound("There is no such person.")
    return views[user_id]


def get_person(session: Session, user_id: int) -> User:
    """A person by id.

    Raises:
        NotFound: There is none.
    """
    user = session.get(User, user_id)
    if user is None:
        raise NotFound("There is no such person.")
    return user


def _newest(
    session: Session,
    user_id: InstrumentedAttribute[int],
    at: InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None],
) -> dict[int, datetime | None]:
    return {row[0]: row[1] for row in session.execute(select(user_id, func.max(at)).group_by(user_id))}
