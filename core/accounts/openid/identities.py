"""Whose account a login by a provider opens. Issuer and subject decide, never a name or an email address.

A login creates an account only where the settings allow it. Otherwise the person comes by an invitation, or connects
the provider to an account that is there.
"""

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.accounts import audit_log, invitations, sessions
from core.accounts.accounts import OWNER
from core.accounts.audit_log import Action
from core.accounts.openid.login import Claims
from core.accounts.openid.settings import ProviderSettings
from core.accounts.people import act_as
from core.accounts.rights import Actor, Role
from core.base.clock import db_now
from core.base.errors import Conflict, Forbidden
from core.base.names import MAX_SHORT_NAME, find_foreign_letters, is_invisible, shorten_name
from core.orm.accounts import Invitation, ProviderIdentity, User

NOBODY = (
    "You have no account here yet. Ask an admin to invite you. If you have an account, log in as usual and connect it"
    " on your account page."
)
NO_ROLE = "None of your groups has a role here. Ask an admin, or the people who run your organisation's login."
IS_CONNECTED = "This login belongs to an account already. Log in with it."
MAX_TRIES = 100  # of a name with a number, such as ada 2


def find_person(session: Session, claims: Claims) -> User | None:
    """The person who is known by these claims."""
    return session.scalar(
        select(User)
        .join(ProviderIdentity, ProviderIdentity.user_id == User.id)
        .where(ProviderIdentity.issuer == claims.issuer, ProviderIdentity.subject == claims.subject)
    )


def log_in(session: Session, claims: Claims, settings: ProviderSettings, address: str | None) -> User:
    """The person whom these claims log in, with the role of the groups.

    Raises:
        Forbidden: Nobody is known by these claims, or the person is disabled or has no role.
    """
    role = settings.role_of(claims.groups)
    if settings.roles and role is None:
        raise Forbidden(NO_ROLE)
    user = find_person(session, claims)
    if user is None and settings.creates_people:
        user = _create_person(session, claims, role or Role.VIEWER)
        connect(session, act_as(user, "session", address=address), user, claims)
    if user is None or user.disabled_at is not None:
        raise Forbidden(NOBODY)
    _note_use(session, claims)
    _follow_groups(session, user, role, address)
    return user


def accept_invitation(
    session: Session,
    invitation: Invitation,
    name: str,
    claims: Claims,
    settings: ProviderSettings,
    address: str | None,
) -> User:
    """Add the invited person, who logs in by the provider.

    Raises:
        Gone: The invitation is no longer valid.
        Invalid: The name is empty, too long, or contains characters that cannot be printed.
        Conflict: Somebody has the name, or these claims belong to an account.
        Forbidden: None of the groups has a role.
    """
    role = settings.role_of(claims.groups)
    if settings.roles and role is None:
        raise Forbidden(NO_ROLE)
    user = invitations.accept(session, invitation, name)
    user.role = role or user.role
    actor = act_as(user, "session", address=address)
    audit_log.record(session, actor, Action.INVITATION_ACCEPT, "invitation", invitation.id, way="provider")
    connect(session, actor, user, claims)
    return user


def connect(session: Session, actor: Actor, user: User, claims: Claims) -> None:
    """Let a person log in by the provider from now on.

    Raises:
        Conflict: These claims belong to an account.
    """
    if find_person(session, claims) is not None:
        raise Conflict(IS_CONNECTED)
    session.add(
        ProviderIdentity(
            user_id=user.id,
            issuer=claims.issuer,
            subject=claims.subject,
            email=_shown(claims.email),
            used_at=db_now(),
        )
    )
    try:
        session.flush()
    except IntegrityError as error:  # at the same moment
        raise Conflict(IS_CONNECTED) from error
    audit_log.record(session, actor, Action.PROVIDER_CONNECT, "user", user.id, issuer=claims.issuer)


def list_of_person(session: Session, user_id: int) -> list[ProviderIdentity]:
    """Where a person can log in."""
    mine = select(ProviderIdentity).where(ProviderIdentity.user_id == user_id)
    return list(session.scalars(mine.order_by(ProviderIdentity.id)))


def _follow_groups(session: Session, user: User, role: Role | None, address: str | None) -> None:
    """Give the role of the groups, which ends the sessions with the old one; the owner stays an admin."""
    if role is None or role == user.role or user.name == OWNER:
        return
    audit_log.record(
        session,
        act_as(user, "session", address=address),
        Action.USER_ROLE,
        "user",
        user.id,
        role=role,
        before=user.role,
        by="groups of the provider",
    )
    user.role, user.has_role_notice = role, True
    sessions.end_sessions(session, user.id)
    session.flush()


def _note_use(session: Session, claims: Claims) -> None:
    identity = session.scalars(
        select(ProviderIdentity).where(
            ProviderIdentity.issuer == claims.issuer, ProviderIdentity.subject == claims.subject
        )
    ).one()
    identity.used_at, identity.email = db_now(), _shown(claims.email)


def _create_person(session: Session, claims: Claims, role: Role) -> User:
    user = invitations.add_person(session, _free_name(session, claims.name), role)
    audit_log.record(
        session, act_as(user, "session"), Action.USER_CREATE, "user", user.id, name=user.name, by="login by provider"
    )
    return user


def _free_name(session: Session, name: str) -> str:
    """A name that nobody has, from what the provider calls the person."""
    foreign = find_foreign_letters(name)
    seen = "".join(character for character in name if not is_invisible(character) and character not in foreign)
    base = shorten_name(seen, MAX_SHORT_NAME - 5) or "new person"
    for n in range(1, MAX_TRIES):
        try:
            return invitations.check_free_name(session, base if n == 1 else f"{base} {n}")
        except Conflict:
            continue
    raise Conflict(f"Too many people are called “{base}”. Ask an admin for an invitation with another name.")


def _shown(email: str | None) -> str | None:
    return shorten_name(email, invitations.MAX_EMAIL) if email else None
