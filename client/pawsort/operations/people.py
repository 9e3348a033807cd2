"""People and invitations, for admins."""

from typing import Unpack

from pawsort.api.calls import NOTHING, Call, Stream, pages
from pawsort.api.operation import AsyncGroup, Group, Listing, Operation
from pawsort.schemas import Invitation, Link, NewInvitation, Person, PersonChanges, Role


class PeopleOperations:
    """People: their roles, and who is disabled."""

    @Listing
    def list(self) -> Stream[Person]:
        """Iterate over all people."""
        return pages(Person, "/people")

    @Operation
    def get(self, person: int) -> Call[Person]:
        """Return a person."""
        return Call(Person, "GET", f"/people/{person}")

    @Operation
    def update(self, person: int, **changes: Unpack[PersonChanges]) -> Call[Person]:
        """Change the role of a person, or disable and enable one."""
        return Call(Person, "PATCH", f"/people/{person}", json=changes)

    @Operation
    def make_password_link(self, person: int) -> Call[Link]:
        """Make a link for a new password. It works once, within 72 hours."""
        return Call(Link, "POST", f"/people/{person}/password-link", is_idempotent=False)


class People(PeopleOperations, Group):
    """People: their roles, and who is disabled."""


class AsyncPeople(PeopleOperations, AsyncGroup):
    """People: their roles, and who is disabled."""


class InvitationOperations:
    """Invitations that were not accepted yet."""

    @Listing
    def list(self) -> Stream[Invitation]:
        """Iterate over the open invitations."""
        return pages(Invitation, "/invitations")

    @Operation
    def create(self, role: Role, recipient: str = "") -> Call[NewInvitation]:
        """Invite somebody. The link in the answer works once, within 72 hours."""
        body = {"role": role, "recipient": recipient}
        return Call(NewInvitation, "POST", "/invitations", json=body, is_idempotent=False)

    @Operation
    def delete(self, invitation: int) -> Call[None]:
        """Withdraw an invitation."""
        return Call(NOTHING, "DELETE", f"/invitations/{invitation}")


class Invitations(InvitationOperations, Group):
    """Invitations that were not accepted yet."""


class AsyncInvitations(InvitationOperations, AsyncGroup):
    """Invitations that were not accepted yet."""
