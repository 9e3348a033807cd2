"""The tables of webhooks: endpoints, the deliveries to them (which are the outbox), and every attempt to deliver."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, false, true
from sqlalchemy.orm import Mapped, mapped_column

from core.base.clock import db_now
from core.base.leases import LeaseColumns
from core.base.states import DeliveryState
from core.orm.base import Base, BigKey


class WebhookEndpoint(Base):
    """An address that events are sent to. A deleted one stays as an empty row.

    Attributes:
        user_id: Whose it is. It gets the events of this person, as long as this person may have it.
        is_for_everybody: It gets the events of everybody instead.
        events: The types that it gets; empty for all.
        secret: Signs what is sent; encrypted (core/webhooks/encryption.py). It is shown once, and never logged.
        previous_secret: Signs too, until `previous_until`, so that receivers can change over.
        note: Why Pawsort has turned it off.
        failing_since: The first failed attempt since the last good one.
        tried_at: The last attempt of all.
    """

    __tablename__ = "webhook_endpoints"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    is_for_everybody: Mapped[bool] = mapped_column(default=False, server_default=false())
    name: Mapped[str]
    url: Mapped[str]
    events: Mapped[list[Any]]
    secret: Mapped[str]
    previous_secret: Mapped[str | None]
    previous_until: Mapped[datetime | None]
    is_on: Mapped[bool] = mapped_column(default=True, server_default=true())
    note: Mapped[str | None]
    failing_since: Mapped[datetime | None]
    tried_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(insert_default=db_now())
    deleted_at: Mapped[datetime | None]


class WebhookDelivery(LeaseColumns, Base):
    """One event for one endpoint, written in the transaction of what happened.

    `message_id` stays the same in every attempt, also after a replay. `n_tried` counts attempts since the delivery was
    written or replayed; `ready_at` is when the next one is due.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        Index("ix_webhook_deliveries_listed", "endpoint_id", "id"),
        Index("ix_webhook_deliveries_state", "state", "endpoint_id", "ready_at"),
        Index("ix_webhook_deliveries_occurred_at", "occurred_at"),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("webhook_endpoints.id"))
    message_id: Mapped[UUID]
    event: Mapped[str]
    occurred_at: Mapped[datetime] = mapped_column(insert_default=db_now())
    data: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(default=DeliveryState.PENDING)
    n_tried: Mapped[int] = mapped_column(default=0)
    ready_at: Mapped[datetime] = mapped_column(insert_default=db_now())
    finished_at: Mapped[datetime | None]


class WebhookAttempt(Base):
    """One attempt to deliver: the status that came, or the error, and the beginning of the answer."""

    __tablename__ = "webhook_attempts"
    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    delivery_id: Mapped[int] = mapped_column(BigKey, ForeignKey("webhook_deliveries.id"), index=True)
    at: Mapped[datetime] = mapped_column(insert_default=db_now())
    duration_s: Mapped[float]
    status: Mapped[int | None]
    error: Mapped[str | None]
    answer: Mapped[str]
