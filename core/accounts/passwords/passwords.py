"""The passwords of people: set, changed, and used to log in.

Hashing takes a tenth of a second and waits for its turn, so it happens outside of transactions.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.passwords.hashing import hash_password, is_outdated, is_password
from core.accounts.passwords.rules import check_new_password, encode_password
from core.base.clock import db_now
from core.base.database import Database, insert_or
from core.base.errors import Invalid
from core.base.names import MAX_SHORT_NAME, check_printable_name
from core.orm.accounts import Password, User


def hash_new_password(password: str, *words: str) -> str:
    """Check a new password and hash it, for `keep_password`.

    Args:
        words: What is known of its owner: name, email address.
    Raises:
        Invalid: It is too short, too long, common, or easy to guess.
        Busy: Too many passwords are being hashed.
    """
    return hash_password(check_new_password(password, *words))


def keep_password(session: Session, user_id: int, encoded: str) -> None:
    """Keep the hash of a person's password, in the place of an older one."""
    values = {"encoded": encoded, "changed_at": db_now()}
    row = insert_or(session, Password).values(user_id=user_id, **values)
    session.execute(row.on_conflict_do_update(index_elements=["user_id"], set_=values))


def has_password(session: Session, user_id: int) -> bool:
    """Whether a person can log in by a password."""
    return session.scalar(select(Password.user_id).where(Password.user_id == user_id)) is not None


def find_user_by_password(db: Database, name: str, password: str) -> User | None:
    """The person with this name and password, unless disabled. Unknown names take as long as known ones.

    Raises:
        Busy: Too many passwords are being hashed.
    """
    try:
        given = encode_password(password)
        checked = check_printable_name(name, MAX_SHORT_NAME, "user")
    except Invalid:  # nobody has such a password or name
        return None
    with db.read() as session:
        found = select(User, Password.encoded).outerjoin(Password, Password.user_id == User.id)
        user, encoded = session.execute(found.where(User.name == checked)).one_or_none() or (None, None)
    if not is_password(given, encoded) or user is None or user.disabled_at is not None:
        return None
    assert encoded is not None
    if is_outdated(encoded):
        _rehash(db, user.id, given)
    return user


def is_current_password(db: Database, user_id: int, password: str) -> bool:
    """Whether this is the password of a person.

    Raises:
        Invalid: It is too long, or no text.
        Busy: Too many passwords are being hashed.
    """
    given = encode_password(password)
    with db.read() as session:
        encoded = session.scalar(select(Password.encoded).where(Password.user_id == user_id))
    return is_password(given, encoded) and encoded is not None


def _rehash(db: Database, user_id: int, given: bytes) -> None:
    encoded = hash_password(given)
    with db.write() as session:
        keep_password(session, user_id, encoded)
