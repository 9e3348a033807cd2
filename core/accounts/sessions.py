"""Sessions of browsers. The browser has a key, and SQL its SHA-256 with the limits of the session.

A session ends by logging out, after its lifetime, or when it was idle for too long. One that was opened with a token
ends with that token.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, Update, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from core.accounts.audit_log import Action, record
from core.accounts.keys import digest_of, new_key
from core.accounts.rights import ROLE_RIGHTS, Actor, Role, check_may_end
from core.base.clock import DAY_S, HOUR_S, db_now, seconds_since
from core.base.database import change
from core.base.errors import Forbidden, NotFound
from core.orm.accounts import LoginSession, User

KEPT_S = 30 * DAY_S  # rows of sessions that are over
MAX_AGENT = 500
RECENT_S = 900


@dataclass(frozen=True)
class SessionLimits:
    """How long a session lasts.

    Attributes:
        idle_s: The longest time without a request; None for no such limit.
    """

    lifetime_s: int
    idle_s: int | None


LIMITS = SessionLimits(lifetime_s=7 * DAY_S, idle_s=12 * HOUR_S)
LIMITS_ALONE = SessionLimits(lifetime_s=30 * DAY_S, idle_s=None)


def choose_limits(session: Session, is_loopback: bool) -> SessionLimits:
    """The limits of a new session: long ones for the only person of a server that no other machine reaches."""
    if not is_loopback:
        return LIMITS
    n_people = session.scalar(select(func.count()).select_from(User)) or 0
    return LIMITS_ALONE if n_people == 1 else LIMITS


def open_session(
    session: Session,
    user: User,
    address: str | None,
    agent: str | None,
    *,
    limits: SessionLimits = LIMITS,
    token_id: int | None = None,
) -> str:
    """Log a person in.

    Args:
        address: Where the browser is.
        agent: What it calls itself.
        token_id: The token that it was opened with; the session has its rights, and ends with it.
    Returns:
        The key for the browser. It cannot be read again.
    """
    change(session, delete(LoginSession).where(LoginSession.expires_at <= db_now(-KEPT_S)))
    key = new_key()
    session.add(
        LoginSession(
            user_id=user.id,
            token_id=token_id,
            digest=digest_of(key),
            expires_at=db_now(limits.lifetime_s),
            idle_s=limits.idle_s,
            address=address,
            agent=agent[:MAX_AGENT] if agent else None,
        )
    )
    session.flush()
    return key


def limit_long_sessions(session: Session) -> None:
    """Give the sessions of a person who was alone until now the usual limits."""
    is_long = LoginSession.ended_at.is_(None) & LoginSession.idle_s.is_(None)
    for one in session.scalars(select(LoginSession).where(is_long)):
        one.expires_at -= timedelta(seconds=LIMITS_ALONE.lifetime_s - LIMITS.lifetime_s)
        one.idle_s = LIMITS.idle_s


def end_session(session: Session, session_id: int) -> None:
    """End one session; one that has ended stays as it is."""
    change(session, _end().where(LoginSession.id == session_id))


def end_session_of_key(session: Session, key: str) -> None:
    """End the session of a key, if there is one."""
    change(session, _end().where(LoginSession.digest == digest_of(key)))


def is_recent_login(session: Session, actor: Actor) -> bool:
    """Whether the person who acts has shown who they are a moment ago: with a token, or by a login.

    For the only person of a server for one machine any open session counts: it is that person's machine.
    """
    if actor.via != "session":
        return True
    is_recent = or_(LoginSession.idle_s.is_(None), seconds_since(LoginSession.created_at) < RECENT_S)
    own = select(LoginSession.id).where(LoginSession.id == actor.credential_id, is_recent)
    return session.scalar(own) is not None


def check_recent_login(session: Session, actor: Actor) -> None:
    """Refuse what somebody at an open browser, or with a stolen cookie, must not do.

    Raises:
        Forbidden: The login was too long ago.
    """
    if not is_recent_login(session, actor):
        raise Forbidden(
            f"You logged in more than {RECENT_S // 60} minutes ago. Log in again, and then do this: it keeps anybody at"
            " your open browser from it."
        )


def end_own_session(session: Session, actor: Actor, session_id: int) -> None:
    """End one session of the person who acts.

    Raises:
        NotFound: There is no such session, or it belongs to somebody else.
        Forbidden: It is another one than the person acts with, whose login was too long ago or has too few rights.
    """
    if actor.via != "session" or session_id != actor.credential_id:
        _check_may_end_others(session, actor)
    if session.scalar(select(LoginSession.user_id).where(LoginSession.id == session_id)) != actor.user_id:
        raise NotFound(f"There is no session {session_id} of yours.")
    end_session(session, session_id)
    record(session, actor, Action.SESSION_END, "session", session_id)


def end_other_sessions(session: Session, actor: Actor) -> None:
    """End all sessions of the person who acts but the one that this is done with.

    Raises:
        Forbidden: The login was too long ago, or has too few rights.
    """
    _check_may_end_others(session, actor)
    own_id = actor.credential_id if actor.via == "session" else None
    n = end_sessions(session, actor.user_id, except_id=own_id)
    record(session, actor, Action.SESSION_END, n_sessions=n)


def _check_may_end_others(session: Session, actor: Actor) -> None:
    check_recent_login(session, actor)
    role = Role(session.get_one(User, actor.user_id).role)
    check_may_end(actor, ROLE_RIGHTS[role], "another session of yours")


def end_sessions(session: Session, user_id: int, except_id: int | None = None) -> int:
    """End the sessions of a person, perhaps all but one; returns their number."""
    ended = _end().where(LoginSession.user_id == user_id)
    return change(session, ended if except_id is None else ended.where(LoginSession.id != except_id))


def list_sessions(session: Session, user_id: int) -> list[LoginSession]:
    """The open sessions of a person, the one that was used last first."""
    own = select(LoginSession).where(LoginSession.user_id == user_id, is_open())
    return list(session.scalars(own.order_by(LoginSession.seen_at.desc(), LoginSession.id.desc())))


def is_open() -> ColumnElement[bool]:
    """SQL for whether a session has not ended, by itself or by its limits."""
    is_in_use = or_(LoginSession.idle_s.is_(None), seconds_since(LoginSession.seen_at) < LoginSession.idle_s)
    return and_(LoginSession.ended_at.is_(None), LoginSession.expires_at > db_now(), is_in_use)


def _end() -> Update:
    return update(LoginSession).where(LoginSession.ended_at.is_(None)).values(ended_at=db_now())
