"""One-time codes, by which a link from the terminal logs in: each works once, within ten minutes."""

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from core.accounts.keys import digest_of, new_key
from core.base.clock import db_now
from core.base.database import change
from core.orm.accounts import LoginCode, User

LIFETIME_S = 600.0


def create_login_code(session: Session, user: User) -> str:
    """Make a code for a person; codes that have expired are removed."""
    change(session, delete(LoginCode).where(LoginCode.expires_at <= db_now()))
    code = new_key()
    session.add(LoginCode(user_id=user.id, digest=digest_of(code), expires_at=db_now(LIFETIME_S)))
    session.flush()
    return code


def find_user_by_code(session: Session, code: str) -> User | None:
    """The person whom a code would log in. Asking does not use it up."""
    found = select(User).join(LoginCode, LoginCode.user_id == User.id)
    return session.scalar(found.where(_is_valid(code), User.disabled_at.is_(None)))


def use_code(session: Session, code: str) -> User | None:
    """The person whom a code logs in; it does not work again."""
    user = find_user_by_code(session, code)
    if user is None or change(session, delete(LoginCode).where(_is_valid(code))) == 0:
        return None
    return user


def delete_codes(session: Session, user_id: int) -> None:
    """Make every code of a person stop working."""
    change(session, delete(LoginCode).where(LoginCode.user_id == user_id))


def _is_valid(code: str) -> ColumnElement[bool]:
    return (LoginCode.digest == digest_of(code)) & (LoginCode.expires_at > db_now())
