"""People. One of them is the owner, who runs the installation and always is an admin (core/accounts/people.py)."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.rights import Role
from core.accounts.sessions import limit_long_sessions
from core.base.names import MAX_SHORT_NAME, check_person_name, check_printable_name
from core.orm.accounts import User
from core.orm.jobs import Job

OWNER = "owner"


def get_or_create_owner(session: Session) -> User:
    """The person an installation belongs to; made at the first start."""
    return get_or_create_user(session, OWNER)


def get_or_create_user(session: Session, name: str) -> User:
    """The person of a name; made when the name is new.

    Raises:
        Invalid: The name is empty, too long, or contains characters that cannot be printed; or it is new, and a word of
            it mixes alphabets.
    """
    checked = check_printable_name(name, MAX_SHORT_NAME, "user")
    user = session.scalar(select(User).where(User.name == checked))
    if user is None:
        user = User(name=check_person_name(checked, "user"), role=Role.ADMIN if checked == OWNER else Role.MEMBER)
        session.add(user)
        session.flush()
        limit_long_sessions(session)
    return user


def list_names(session: Session) -> dict[int, str]:
    """Everybody's name by id, for lists."""
    return {user.id: user.name for user in session.scalars(select(User))}


def owner_of_job(session: Session, job_id: int) -> str:
    """The name of the person who created a job; the owner's where that is unknown."""
    name = session.scalar(select(User.name).join(Job, Job.user_id == User.id).where(Job.id == job_id))
    return name or OWNER
