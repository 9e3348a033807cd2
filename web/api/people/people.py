"""People: list, roles, quotas, disabling, links for new passwords; and invitations of new ones."""

from collections.abc import Mapping
from dataclasses import asdict

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from core.accounts import accounts, invitations, people, people_list
from core.accounts.people_list import PersonView
from core.accounts.rights import Right
from core.orm.accounts import Invitation
from core.uploads import usage
from core.uploads.usage import UNLIMITED, PersonUsage, Quota
from web.http.addresses import page_address
from web.http.context import get_services
from web.http.paths import INVITATION_ID, USER_ID
from web.http.rights import current_actor, needs
from web.schemas.accounts import (
    InvitationIn,
    InvitationList,
    InvitationOut,
    LinkOut,
    NewInvitationOut,
    PersonList,
    PersonOut,
    PersonPatch,
    QuotaIn,
)
from web.schemas.uploads import UsageOut

TAG = {
    "name": "People",
    "description": "Roles and invitations, for admins",
}
api = APIBlueprint("people", __name__, url_prefix="/api/v1", tag=TAG)

ONE = f"/people/{USER_ID}"


@api.get("/people")
@needs(Right.PEOPLE)
@api.output(PersonList)
def list_people() -> PersonList:
    """Everybody, by name; disabled people too"""
    with get_services().db.read() as session:
        used = usage.list_usage(session, _default_quota())
        return PersonList(items=[_show_person(view, used) for view in people_list.list_views(session)])


@api.get(ONE)
@needs(Right.PEOPLE)
@api.output(PersonOut)
def get_person(user_id: int) -> PersonOut:
    """One person"""
    with get_services().db.read() as session:
        return _get_person(session, user_id)


@api.patch(ONE)
@needs(Right.PEOPLE)
@api.input(PersonPatch)
@api.output(PersonOut)
@api.doc(responses={409: "It is the owner, who stays an admin"})
def update_person(user_id: int, json_data: PersonPatch) -> PersonOut:
    """Give a person another role or quota, disable or enable a person

    Another role and disabling end the person's sessions. Disabling also revokes the person's tokens, invitations and
    password links; enabling brings none of them back.
    """
    actor = current_actor()
    with get_services().db.write() as session:
        name = people_list.get_person(session, user_id).name
        if json_data.role is not None:
            people.set_role(session, actor, name, json_data.role)
        if json_data.is_disabled is not None:
            (people.disable if json_data.is_disabled else people.enable)(session, actor, name)
        if json_data.quota is not None:
            usage.set_quota(session, actor, user_id, _read_quota(json_data.quota))
        return _get_person(session, user_id)


@api.post(f"{ONE}/password-link")
@needs(Right.PEOPLE)
@api.output(LinkOut, status_code=201)
@api.doc(responses={409: "The person is disabled, or is the owner"})
def create_password_link(user_id: int) -> LinkOut:
    """A link with which a person sets a new password

    Earlier ones stop working. Setting the password ends all sessions of the person.
    """
    with get_services().db.write() as session:
        person = people_list.get_person(session, user_id)
        code = invitations.create_password_reset(session, current_actor(), person)
    return LinkOut(link=page_address("invitation_pages.show_reset", code=code))


@api.get("/invitations")
@needs(Right.PEOPLE)
@api.output(InvitationList)
def list_invitations() -> InvitationList:
    """Open invitations, newest first"""
    with get_services().db.read() as session:
        return InvitationList(items=[_show(session, one) for one in invitations.list_open(session)])


@api.post("/invitations")
@needs(Right.PEOPLE)
@api.input(InvitationIn)
@api.output(NewInvitationOut, status_code=201)
@api.doc(responses={409: "Somebody has this name"})
def invite_person(json_data: InvitationIn) -> NewInvitationOut:
    """Invite a new person

    Pawsort sends no email: the answer has the link to send.
    """
    with get_services().db.write() as session:
        invitation, code = invitations.invite(session, current_actor(), json_data.role, json_data.recipient)
        session.refresh(invitation)
        shown = _show(session, invitation).model_dump()
    return NewInvitationOut(**shown, link=page_address("invitation_pages.show_invitation", code=code))


@api.delete(f"/invitations/{INVITATION_ID}")
@needs(Right.PEOPLE)
@api.output({}, status_code=204)
@api.doc(responses={404: "It is none of the open invitations"})
def withdraw_invitation(invitation_id: int) -> str:
    """Withdraw an open invitation"""
    with get_services().db.write() as session:
        invitations.withdraw(session, current_actor(), invitation_id)
    return ""


def _default_quota() -> Quota:
    return Quota.from_settings(get_services().settings)


def _read_quota(given: QuotaIn) -> Quota:
    most = (UNLIMITED if amount == "none" else amount for amount in (given.max_bytes, given.max_images))
    return Quota(*most)


def _get_person(session: Session, user_id: int) -> PersonOut:
    used = {user_id: usage.read_usage(session, user_id, _default_quota())}
    return _show_person(people_list.get_view(session, user_id), used)


def _show_person(view: PersonView, used: Mapping[int, PersonUsage]) -> PersonOut:
    of_person = used.get(view.id, PersonUsage(0, 0, _default_quota()))
    return PersonOut(**asdict(view), usage=UsageOut.of(of_person))


def _show(session: Session, invitation: Invitation) -> InvitationOut:
    names = accounts.list_names(session)
    return InvitationOut(
        id=invitation.id,
        role=people.check_role(invitation.role or ""),
        name=invitation.name,
        email=invitation.email,
        invited_by=names[invitation.created_by],
        created_at=invitation.created_at,
        expires_at=invitation.expires_at,
    )
