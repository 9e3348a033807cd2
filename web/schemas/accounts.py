"""People, invitations, and the tokens and sessions of the person who asks."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints
from typing_extensions import TypeAliasType

from core.accounts.own_tokens import MAX_DAYS
from core.accounts.rights import Right, Role
from core.accounts.tokens import DEFAULT_DAYS
from core.base.names import MAX_SHORT_NAME
from core.uploads.usage import MAX_QUOTA
from web.schemas.common import Input
from web.schemas.uploads import UsageOut

TokenName = Annotated[str, StringConstraints(min_length=1, max_length=MAX_SHORT_NAME)]
Amount = Annotated[int, Field(ge=0, le=MAX_QUOTA)] | Literal["none"] | None
Recipient = Annotated[str, StringConstraints(max_length=254)]


LoginWay = TypeAliasType("LoginWay", Literal["password", "provider", "token"])


class PersonOut(BaseModel):
    """`last_seen_at`: to the minute. `ways_in`: how the person logs in. `usage`: what the person's uploads use."""

    id: int
    name: str = Field(examples=["ada"])
    role: Role
    is_owner: bool
    is_disabled: bool
    created_at: datetime
    last_seen_at: datetime | None
    ways_in: list[LoginWay]
    usage: UsageOut


class PersonList(BaseModel):
    items: list[PersonOut]


class QuotaIn(Input, json_schema_extra={"examples": [{"max_bytes": 20_000_000_000, "max_images": "none"}]}):
    """What the uploads of a person may use: a number, "none" for no limit, null for what everybody may."""

    max_bytes: Amount = None
    max_images: Amount = None


class PersonPatch(Input, json_schema_extra={"examples": [{"role": "viewer"}]}):
    role: Role | None = None
    is_disabled: bool | None = Field(None, description="true ends every session and refuses every token")
    quota: QuotaIn | None = None


class InvitationIn(Input):
    role: Role
    recipient: Recipient = Field("", description="A name, which is offered to the invited person, or an email address")


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


class TokenIn(Input, json_schema_extra={"examples": [{"name": "camera", "days": 30, "scopes": ["see", "send"]}]}):
    name: TokenName = Field(description="What it is for")
    days: int = Field(DEFAULT_DAYS, ge=1, le=MAX_DAYS, description="How long it works")
    scopes: list[Right] | None = Field(
        None, min_length=1, description="What it may do, at most what you may; null for all that your role allows"
    )


class TokenOut(BaseModel):
    """`scopes` is null for all that the role of its person allows; `last_used_at` is exact to the minute."""

    id: int
    name: str = Field(examples=["camera"])
    scopes: list[Right] | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class NewTokenOut(TokenOut):
    """The token itself is shown here only."""

    token: str


class TokenList(BaseModel):
    items: list[TokenOut]
    next: str | None


class SessionOut(BaseModel):
    """`last_seen_at`: to the minute. `agent`: what the browser calls itself."""

    id: int
    is_current: bool = Field(description="Whether the request came from this browser")
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    address: str | None
    agent: str | None


class SessionList(BaseModel):
    items: list[SessionOut]
    next: str | None
