"""Webhooks: endpoints, deliveries and attempts."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints

from core.base.names import MAX_SHORT_NAME
from core.base.states import DeliveryState
from core.webhooks.events import SUBSCRIBABLE, Event
from core.webhooks.targets import MAX_URL
from web.schemas.common import Input, PageQuery

WebhookName = Annotated[str, StringConstraints(min_length=1, max_length=MAX_SHORT_NAME)]
Url = Annotated[str, StringConstraints(max_length=MAX_URL)]
URL = "https://example.org/pawsort"
Scope = Literal["own", "everybody"]
EVENTS = f"The types to send, of {', '.join(SUBSCRIBABLE)}; empty for all, also those of later versions"


class WebhookIn(Input, json_schema_extra={"examples": [{"name": "archive", "url": URL, "events": ["job.done"]}]}):
    name: WebhookName = Field(description="What it is for")
    url: Url = Field(description="An https address; the operator may allow others")
    events: list[Event] = Field(default_factory=list, description=EVENTS)
    scope: Scope = Field(
        "own", description="`own`: your jobs and schedules; `everybody`: those of all people, for admins"
    )


class WebhookPatch(Input, json_schema_extra={"examples": [{"is_on": False}]}):
    name: WebhookName | None = None
    url: Url | None = None
    events: list[Event] | None = Field(None, description=EVENTS)
    is_on: bool | None = Field(None, description="false stops sending; true sends what still waits")


class WebhookOut(BaseModel):
    """`note` says why Pawsort has turned it off, or sends nothing because `user` may no longer have it.

    `failing_since` is null while the last attempt was good.
    """

    id: int
    name: str = Field(examples=["archive"])
    url: str
    events: list[Event]
    scope: Scope
    user: str | None
    is_on: bool
    note: str | None
    failing_since: datetime | None
    last_attempt_at: datetime | None
    created_at: datetime


class NewSecretOut(WebhookOut):
    secret: str = Field(description="Shown only now. Receivers verify signatures with it")


class WebhookList(BaseModel):
    items: list[WebhookOut]
    next: str | None


class DeliveryQuery(PageQuery):
    state: DeliveryState | None = None
    event: Event | None = None


class AttemptOut(BaseModel):
    """`status` is that of HTTP; where there was none, `error` says why. `answer` is the beginning of the body."""

    at: datetime
    duration_s: float
    status: int | None
    error: str | None
    answer: str


class DeliveryOut(BaseModel):
    """`message_id` is the header `webhook-id`, the same in every attempt and replay."""

    id: int
    message_id: str
    event: Event
    occurred_at: datetime
    state: DeliveryState
    next_attempt_at: datetime | None
    finished_at: datetime | None
    last_attempt: AttemptOut | None


class DeliveryDetails(DeliveryOut):
    attempts: list[AttemptOut]
    message: dict[str, Any] = Field(description="What is sent, as JSON")


class DeliveryPage(BaseModel):
    items: list[DeliveryOut]
    next: str | None


class ReplayOut(BaseModel):
    replayed: int = Field(description="How many deliveries are sent again")
