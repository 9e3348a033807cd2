"""People: their roles, disabling them, and acting as one of them.

The owner of an installation stays an admin, whatever happens to the others: so there always is one.
"""

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from core.accounts import invitations, login_codes, sessions, tokens
from core.accounts.accounts import OWNER, get_or_create_owner
from core.accounts.audit_log import Action, record
from core.accounts.rights import ROLE_RIGHTS, Actor, Right, Role, Via, check_may_give, check_right
from core.base.clock import db_now
from core.base.database import change, locked
from core.base.errors import Conflict, Forbidden, Invalid, NotFound
from core.orm.accounts import User


def act_as(user: User, via: Via, credential_id: int | None = None, address: str | None = None) -> Actor:
    """A person who acts, with all rights of the role; none if disabled."""
    rights = ROLE_RIGHTS[Role(user.role)] if user.disabled_at is None else frozenset[Right]()
    return Actor(user.id, user.name, rights, via, credential_id, address)


def act_as_owner(session: Session) -> Actor:
    """The owner, as commands on the server act: who can run them can change everything anyway."""
    return act_as(get_or_create_owner(session), "command")


def still_acts(actor: Actor) -> ColumnElement[bool]:
    """SQL for whether a person has not been disabled since a long request began."""
    return select(User.id).where(User.id == actor.user_id, User.disabled_at.is_(None)).exists()


def check_still_acts(session: Session, actor: Actor) -> None:
    """Refuse a person who has been disabled since a long request began.

    Raises:
        Forbidden: This person has.
    """
    if not session.scalar(select(still_acts(actor))):
        raise Forbidden(f"“{actor.name}” has been disabled. Ask an admin.")


def list_people(session: Session) -> list[User]:
    """Everybody, by name; disabled people too."""
    return list(session.scalars(select(User).order_by(User.name)))


def get_person(session: Session, name: str, lock: bool = False) -> User:
    """A person by name.

    Raises:
        NotFound: There is none.
    """
    query = select(User).where(User.name == name)
    user = session.scalar(locked(query) if lock else query)
    if user is None:
        raise NotFound(f"There is no person named {name!r}. `pawsort user list` shows everybody.")
    return user


def check_role(name: str) -> Role:
    """A role by its name.

    Raises:
        Invalid: There is no such role.
    """
    try:
        return Role(name)
    except ValueError:
        raise Invalid(f"role: expected one of {', '.join(Role)}; got {name!r}.") from None


def set_role(session: Session, actor: Actor, name: str, role: Role) -> User:
    """Give a person another role: open sessions end, and the person sees a notice at the next login.

    Raises:
        Forbidden: The actor may not manage people, or has fewer rights than the role.
        NotFound: There is no such person.
        Conflict: It is the owner, who stays the last admin.
    """
    check_right(actor, Right.PEOPLE)
    check_may_give(actor, role)
    user = get_person(session, name, lock=True)
    if role == user.role:
        return user
    _check_not_owner(user)
    record(session, actor, Action.USER_ROLE, "user", user.id, name=user.name, role=role, before=user.role)
    user.role, user.has_role_notice = role, True
    sessions.end_sessions(session, user.id)
    session.flush()
    return user


def disable(session: Session, actor: Actor, name: str) -> User:
    """Refuse a person from now on, and end every session, token and link; what they made stays.

    Repeating it is harmless.

    Raises:
        Forbidden, NotFound, Conflict: As `set_role`.
    """
    check_right(actor, Right.PEOPLE)
    user = get_person(session, name, lock=True)
    if user.disabled_at is None:
        _check_not_owner(user)
        record(session, actor, Action.USER_DISABLE, "user", user.id, name=user.name)
        _end_access(session, actor, user)
        user.disabled_at = db_now()
        session.flush()
        session.refresh(user)
    return user


def dismiss_role_notice(session: Session, user_id: int) -> None:
    """Show a person the notice about the role no more."""
    change(session, update(User).where(User.id == user_id).values(has_role_notice=False))


def enable(session: Session, actor: Actor, name: str) -> User:
    """Let a disabled person log in again, with the role of before. Repeating it is harmless.

    Nothing that let the person in before works again but the password and the provider: somebody else may have had it.

    Raises:
        Forbidden, NotFound: As `set_role`.
    """
    check_right(actor, Right.PEOPLE)
    user = get_person(session, name, lock=True)
    check_may_give(actor, Role(user.role))
    if user.disabled_at is not None:
        _end_access(session, actor, user)  # of people whom a release without this disabled
        record(session, actor, Action.USER_ENABLE, "user", user.id, name=user.name)
    user.disabled_at = None
    session.flush()
    return user


def _end_access(session: Session, actor: Actor, user: User) -> None:
    """End what lets a person in without a login: sessions, tokens, codes, and links for or by this person."""
    sessions.end_sessions(session, user.id)
    tokens.revoke_all(session, actor, user.id)
    login_codes.delete_codes(session, user.id)
    invitations.withdraw_all(session, actor, user.id)


def _check_not_owner(user: User) -> None:
    if user.name == OWNER:
        raise Conflict(
            f"“{OWNER}” runs this installation and stays an admin, so that there always is one. Give this person's"
            " everyday work an account of its own."
        )
