"""Rights: what each role allows, who acts, and the one check of whose something is.

    role of the person ∩ scopes of the token ─► Actor ─► a view needs a Right ─► a service checks the owner

A right allows a kind of action; the owner check decides about one job, upload or batch of labels.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

from core.base.errors import Forbidden

Via = Literal["session", "token", "command", "schedule"]


class Right(StrEnum):
    """A kind of action. `OTHERS` extends the others to jobs, uploads and batches that somebody else made."""

    SEE = "see"
    LABEL = "label"
    SEND = "send"
    OTHERS = "others"
    MODELS = "models"
    SCHEDULES = "schedules"
    PEOPLE = "people"
    SYSTEM = "system"

    @property
    def action(self) -> str:
        """What it allows, to complete “you may not …”."""
        return _ACTIONS[self]


_ACTIONS = {
    Right.SEE: "see jobs, pictures and models",
    Right.LABEL: "label pictures",
    Right.SEND: "upload pictures, and start or change jobs",
    Right.OTHERS: "change what other people made",
    Right.MODELS: "promote, roll back or delete model versions",
    Right.SCHEDULES: "add, change or run schedules",
    Right.PEOPLE: "manage people",
    Right.SYSTEM: "see the System page",
}


class Role(StrEnum):
    """What a person is in this installation."""

    VIEWER = "viewer"
    MEMBER = "member"
    ADMIN = "admin"


_VIEWER = frozenset((Right.SEE,))
_MEMBER = _VIEWER | {Right.LABEL, Right.SEND}
ROLE_RIGHTS: Mapping[Role, frozenset[Right]] = MappingProxyType(
    {Role.VIEWER: _VIEWER, Role.MEMBER: _MEMBER, Role.ADMIN: frozenset(Right)}
)


@dataclass(frozen=True)
class Actor:
    """A person who acts, with the rights that this way of acting has.

    Attributes:
        credential_id: The session or token; None for commands and schedules.
        address: Where a request came from.
    """

    user_id: int
    name: str
    rights: frozenset[Right]
    via: Via
    credential_id: int | None = None
    address: str | None = None

    def may(self, right: Right) -> bool:
        """Whether this person may do this kind of thing."""
        return right in self.rights

    def may_change(self, user_id: int | None) -> bool:
        """Whether this person may change what the person `user_id` made; None made what is older than people."""
        return user_id == self.user_id or Right.OTHERS in self.rights


def check_right(actor: Actor, right: Right) -> None:
    """Refuse a kind of action.

    Raises:
        Forbidden: The actor has no such right.
    """
    if not actor.may(right):
        raise Forbidden(refusal(actor, right))


def check_may_give(actor: Actor, role: Role) -> None:
    """Refuse to give somebody more rights than the actor has, as a token with few scopes would.

    Raises:
        Forbidden: The role has rights that the actor does not have.
    """
    if missing := [right.value for right in Right if right in ROLE_RIGHTS[role] - actor.rights]:
        raise Forbidden(
            f"Nobody gives more rights than they have: the role {role} also has {', '.join(missing)}. Use a token with"
            " these scopes, or a browser in which you are logged in."
        )


def check_may_end(actor: Actor, rights: AbstractSet[Right], what: str) -> None:
    """Refuse to end a token or session that has more rights than the actor has, as a token with few scopes would.

    Args:
        what: Names it in the sentence, such as “token 7”.
    Raises:
        Forbidden: It has.
    """
    if missing := [right.value for right in Right if right in rights - actor.rights]:
        raise Forbidden(
            f"Nobody ends what has more rights than they have here: {what} also has {', '.join(missing)}. Use a browser"
            " in which you are logged in, or a token with these scopes."
        )


def check_owner(actor: Actor, user_id: int | None, what: str) -> None:
    """Refuse to change what somebody else made.

    Args:
        user_id: Whose it is.
        what: Names it in the sentence, such as “job 3f…”.
    Raises:
        Forbidden: It is somebody else's, and the actor is no admin.
    """
    if not actor.may_change(user_id):
        raise Forbidden(
            f"Only the person who owns {what}, or an admin, can change it; you are “{actor.name}”. Ask one of them; an"
            " admin can also hand it over to you."
        )


def roles_with(right: Right) -> list[Role]:
    """The roles that have a right."""
    return [role for role in Role if right in ROLE_RIGHTS[role]]


def refusal(actor: Actor, right: Right) -> str:
    """Why this is refused, and who can help."""
    roles = roles_with(right)
    who = "admins" if roles == [Role.ADMIN] else f"people with the role {' or '.join(roles)}"
    token = " Or use a token that has this scope." if actor.via == "token" else ""
    return (
        f"Only {who} can {right.action}; you are “{actor.name}”. Ask an admin to do it or to change your role.{token}"
    )
