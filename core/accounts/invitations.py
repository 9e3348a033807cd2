"""Invitations and password resets: links that give a person a way in. Each works once, within 72 hours.

An invitation is for a new person and has a role; a reset is for somebody who is here. Only the digest of a link's code
is stored.
"""

import unicodedata

from sqlalchemy import ColumnElement, Update, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.accounts import audit_log, sessions
from core.accounts.accounts import OWNER
from core.accounts.audit_log import Action
from core.accounts.keys import digest_of, new_key
from core.accounts.rights import Actor, Right, Role, check_may_give, check_right
from core.base.clock import db_now
from core.base.database import change
from core.base.errors import Conflict, Gone, Invalid, NameTaken, NotFound
from core.base.names import MAX_SHORT_NAME, check_person_name, check_printable_name
from core.orm.accounts import Invitation, User

LIFETIME_HOURS = 72
MAX_EMAIL = 254  # RFC 5321
NAME_IS_TAKEN = "Somebody is called “{name}” already. Choose another name."
LINK_IS_OVER = (
    "This link was used or withdrawn, or it is older than 72 hours. Ask the person who sent it for a new one."
)


def invite(session: Session, actor: Actor, role: Role, recipient: str = "") -> tuple[Invitation, str]:
    """Invite a new person.

    Args:
        recipient: A name or an email address, shown in lists; a name is offered to the invited person.
    Returns:
        The invitation and its code. The code cannot be read again.
    Raises:
        Invalid: The name or address is too long or contains invisible characters.
        Conflict: Somebody has this name.
        Forbidden: The actor may not manage people, or has fewer rights than the role.
    """
    check_right(actor, Right.PEOPLE)
    check_may_give(actor, role)
    email, name = _split_recipient(recipient)
    if name:
        check_free_name(session, name)
    invitation, code = _create(session, actor, role=role, name=name, email=email)
    audit_log.record(session, actor, Action.INVITATION_CREATE, "invitation", invitation.id, role=role, name=name)
    return invitation, code


def create_password_reset(session: Session, actor: Actor, user: User) -> str:
    """Make the link by which a person sets a new password; earlier ones stop working.

    Returns:
        The code of the link. It cannot be read again.
    Raises:
        Conflict: The person is disabled, or is the owner, whom nobody else may replace.
        Forbidden: The actor may not manage people, or has fewer rights than the person.
    """
    check_right(actor, Right.PEOPLE)
    check_may_give(actor, Role(user.role))
    if user.name == OWNER and actor.user_id != user.id:
        raise Conflict(
            f"“{OWNER}” runs this installation and gets a link on the server alone, by `pawsort user reset {OWNER}`."
        )
    if user.disabled_at is not None:
        raise Conflict(f"“{user.name}” is disabled. Enable this person first.")
    change(session, _withdraw().where(Invitation.user_id == user.id))
    _, code = _create(session, actor, user_id=user.id)
    audit_log.record(session, actor, Action.PASSWORD_LINK_CREATE, "user", user.id, name=user.name)
    return code


def find_open(session: Session, code: str, is_reset: bool = False) -> Invitation | None:
    """The invitation, or the password reset, of a code that still works. Asking does not use it up."""
    kind = Invitation.user_id.is_not(None) if is_reset else Invitation.user_id.is_(None)
    return session.scalar(select(Invitation).where(Invitation.digest == digest_of(code), kind, _is_open()))


def list_open(session: Session) -> list[Invitation]:
    """Invitations of new people that can still be accepted, the newest first."""
    is_shown = Invitation.user_id.is_(None) & _is_open()
    return list(session.scalars(select(Invitation).where(is_shown).order_by(Invitation.id.desc())))


def withdraw(session: Session, actor: Actor, invitation_id: int) -> None:
    """Withdraw an invitation, so that its link no longer works.

    Raises:
        NotFound: It is none of the open invitations.
        Forbidden: The actor may not manage people.
    """
    check_right(actor, Right.PEOPLE)
    withdrawn = _withdraw().where(Invitation.id == invitation_id, Invitation.user_id.is_(None))
    if change(session, withdrawn) == 0:
        raise NotFound("There is no such open invitation. It may have been accepted or withdrawn, or it has expired.")
    audit_log.record(session, actor, Action.INVITATION_WITHDRAW, "invitation", invitation_id)


def withdraw_all(session: Session, actor: Actor, user_id: int) -> None:
    """Withdraw the invitations that a person made, and the links for passwords by or for this person."""
    concerns = (Invitation.created_by == user_id) | (Invitation.user_id == user_id)
    is_unused = Invitation.used_at.is_(None) & Invitation.withdrawn_at.is_(None) & (Invitation.expires_at > db_now())
    for one in session.scalars(select(Invitation).where(concerns, is_unused)).all():
        change(session, update(Invitation).where(Invitation.id == one.id).values(withdrawn_at=db_now()))
        if one.user_id is None:
            audit_log.record(session, actor, Action.INVITATION_WITHDRAW, "invitation", one.id)


def use(session: Session, invitation: Invitation) -> None:
    """Use a link up.

    Raises:
        Gone: Somebody else did, or it is no longer valid.
    """
    used = update(Invitation).where(Invitation.id == invitation.id, _is_open()).values(used_at=db_now())
    if change(session, used) == 0:
        raise Gone(LINK_IS_OVER)


def accept(session: Session, invitation: Invitation, name: str) -> User:
    """Add the invited person and use the invitation up.

    Raises:
        Gone: The invitation is no longer valid.
        Invalid: The name is empty, too long, or contains characters that cannot be printed.
        Conflict: Somebody has this name.
    """
    use(session, invitation)
    return add_person(session, name, Role(invitation.role or ""))


def add_person(session: Session, name: str, role: Role) -> User:
    """Add a person.

    Raises:
        Invalid: The name is empty, too long, or contains characters that cannot be printed.
        Conflict: Somebody has this name.
    """
    user = User(name=check_free_name(session, name), role=role)
    session.add(user)
    try:
        session.flush()
    except IntegrityError as error:  # at the same moment
        raise NameTaken(NAME_IS_TAKEN.format(name=user.name)) from error
    sessions.limit_long_sessions(session)
    return user


def check_free_name(session: Session, name: str) -> str:
    """The name for a new person as it is stored.

    Raises:
        Invalid: It is empty, too long, contains characters that cannot be printed, or mixes alphabets within a word.
        Conflict: Somebody has this name, perhaps in other cases or with other codes, or it is that of the owner.
    """
    checked = check_person_name(name)
    if _folded(checked) in {OWNER, *map(_folded, session.scalars(select(User.name)))}:
        raise NameTaken(NAME_IS_TAKEN.format(name=checked))
    return checked


def _folded(name: str) -> str:
    """What two names of the same letters have in common: neither case nor the way accents are encoded matters."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def _create(session: Session, actor: Actor, **columns: object) -> tuple[Invitation, str]:
    code = new_key()
    invitation = Invitation(
        digest=digest_of(code), created_by=actor.user_id, expires_at=db_now(LIFETIME_HOURS * 3600.0), **columns
    )
    session.add(invitation)
    session.flush()
    return invitation, code


def _is_open() -> ColumnElement[bool]:
    """SQL for whether a link works: it is not over, and who made it could make another one."""
    admins = select(User.id).where(User.role == Role.ADMIN, User.disabled_at.is_(None))
    is_over = Invitation.used_at.is_not(None) | Invitation.withdrawn_at.is_not(None)
    return ~is_over & (Invitation.expires_at > db_now()) & Invitation.created_by.in_(admins)


def _withdraw() -> Update:
    return update(Invitation).where(_is_open()).values(withdrawn_at=db_now())


def _split_recipient(recipient: str) -> tuple[str | None, str | None]:
    """An email address or a name; what was not given is None."""
    text = recipient.strip()
    if not text:
        return None, None
    if "@" not in text:
        return None, check_printable_name(text, MAX_SHORT_NAME, "name")
    checked = check_printable_name(text, MAX_EMAIL, "email")
    if any(character.isspace() for character in checked) or checked.startswith("@") or checked.endswith("@"):
        raise Invalid(f"email: expected an address such as ada@example.org, got {checked!r}.")
    return checked, None
