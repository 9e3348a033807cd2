"""People and invitations."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from core.accounts.rights import Role
from web.schemas.common import Input

RECIPIENT = Annotated[str, StringConstraints(max_length=254)]


class PersonOut(BaseModel):
    """`last_seen_at`: to the minute. `ways_in`: how the person logs in."""

    id: int
    name: str
    role: Role
    is_owner: bool
    is_disabled: bool
    created_at: datetime
    last_seen_at: datetime | None
    ways_in: list[Literal["password", "provider", "token"]]


class PersonList(BaseModel):
    items: list[PersonOut]


class PersonPatch(Input):
    role: Role | None = None
    is_disabled: bool | None = Field(None, description="true ends every session and refuses every token")


class InvitationIn(Input):
    role: Role
    recipient: RECIPIENT = Field("", description="A name, which is offered to the invited person, or an email address")


class InvitationOut(BaseModel):
    id: int
    role: Role
    name: str | None
    email: str | None
    invited_by: str
    created_at: datetime
    expires_at: datetime


class NewInvitationOut(InvitationOut):
    link: str = Field(description="Shown only now. It works once, within 72 hours")


class InvitationList(BaseModel):
    items: list[InvitationOut]


class LinkOut(BaseModel):
    link: str = Field(description="Shown only now. It works once, within 72 hours")
