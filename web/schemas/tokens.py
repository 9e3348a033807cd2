"""Tokens of the person who asks."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from core.accounts.own_tokens import MAX_DAYS
from core.accounts.rights import Right
from core.accounts.tokens import DEFAULT_DAYS
from core.base.names import MAX_SHORT_NAME
from web.schemas.common import Input

TokenName = Annotated[str, StringConstraints(min_length=1, max_length=MAX_SHORT_NAME)]


class TokenIn(Input):
    name: TokenName = Field(description="What it is for")
    days: int = Field(DEFAULT_DAYS, ge=1, le=MAX_DAYS, description="How long it works")
    scopes: list[Right] | None = Field(
        None, min_length=1, description="What it may do, at most what you may; null for all that your role allows"
    )


class TokenOut(BaseModel):
    """`scopes` is null for all that the role of its person allows; `last_used_at` is exact to the minute."""

    id: int
    name: str
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
