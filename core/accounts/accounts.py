"""People and their bearer tokens. Only the SHA-256 of a token is kept; the token itself is shown once.

One of them is the owner, who runs the installation and always is an admin (core/accounts/people.py).
"""

import hashlib
import secrets

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.rights import Role
from core.base.names import MAX_SHORT_NAME, check_printable_name
from core.orm.accounts import Token, User
from core.orm.jobs import Job

OWNER = "owner"


def get_or_create_owner(session: Session) -> User:
    """The person an installation belongs to; made at the first start."""
    return get_or_create_user(session, OWNER)


def get_or_create_user(session: Session, name: str) -> User:
    """The person of a name; made when the name is new.

    Raises:
        Invalid: The name is empty, too long, or contains characters that cannot be printed.
    """
    checked = check_printable_name(name, MAX_SHORT_NAME, "user")
    user = session.scalar(select(User).where(User.name == checked))
    if user is None:
        user = User(name=checked, role=Role.ADMIN if checked == OWNER else Role.MEMBER)
        session.add(user)
        session.flush()
    return user


def is_owner(user: User) -> bool:
    """Whether this person runs the installation."""
    return user.name == OWNER


def create_token(session: Session, name: str, user: User | None = None) -> str:
    """Make a bearer token.

    Args:
        name: What it is for; shown in lists.
        user: Whose; the owner's when not given.
    Returns:
        The token, 43 characters (256 random bits). It cannot be shown again.
    Raises:
        Invalid: The name is empty, too long, or contains characters that cannot be printed.
    """
    token = secrets.token_urlsafe(32)
    owner = get_or_create_owner(session) if user is None else user
    session.add(Token(user_id=owner.id, name=check_printable_name(name, MAX_SHORT_NAME), digest=_digest(token)))
    session.flush()
    return token


def replace_token(session: Session, name: str) -> str:
    """A new token under a name; those that had the name before stop working."""
    for old in session.scalars(select(Token).where(Token.name == name)):
        session.delete(old)
    return create_token(session, name)


def find_user_by_token(session: Session, token: str) -> User | None:
    """The person of a token, unless disabled. Compares digests, so timing reveals nothing about the token."""
    found = select(User).join(Token).where(Token.digest == _digest(token), Token.revoked_at.is_(None))
    return session.scalar(found.where(User.disabled_at.is_(None)))


def find_user(session: Session, user_id: int) -> User | None:
    """The person of a session cookie, unless disabled."""
    return session.scalar(select(User).where(User.id == user_id, User.disabled_at.is_(None)))


def list_names(session: Session) -> dict[int, str]:
    """Everybody's name by id, for lists."""
    return {user.id: user.name for user in session.scalars(select(User))}


def owner_of_job(session: Session, job_id: int) -> str:
    """The name of the person who created a job; the owner's where that is unknown."""
    name = session.scalar(select(User.name).join(Job, Job.user_id == User.id).where(Job.id == job_id))
    return name or OWNER


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
