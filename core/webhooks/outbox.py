"""The outbox: deliveries are rows of the transaction in which something happens, so none is lost and none invented."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from core.orm.accounts import User
from core.orm.webhooks import WebhookDelivery, WebhookEndpoint


def publish(
    session: Session,
    event: str,
    describe: Callable[[], dict[str, Any]],
    *,
    owner_id: int | None = None,
    concerns_everybody: bool = False,
) -> None:
    """Add an event to the transaction, once for each endpoint that wants it.

    Args:
        describe: Makes its data; not called when nobody wants it.
        owner_id: Whose it is: endpoints of this person get it, and those for everybody's events.
        concerns_everybody: All endpoints get it.
    """
    wanted = select(WebhookEndpoint.id, WebhookEndpoint.events).where(is_active()).order_by(WebhookEndpoint.id)
    if not concerns_everybody:
        wanted = wanted.where(or_(WebhookEndpoint.user_id.is_(None), WebhookEndpoint.user_id == owner_id))
    endpoint_ids = [one for one, events in session.execute(wanted) if not events or event in events]
    if not endpoint_ids:
        return
    message_id, data = uuid4(), describe()
    for endpoint_id in endpoint_ids:
        session.add(WebhookDelivery(endpoint_id=endpoint_id, message_id=message_id, event=event, data=data))
    session.flush()


def is_active() -> ColumnElement[bool]:
    """SQL for: an endpoint that is on, of a person who is not disabled or of everybody."""
    disabled = select(User.id).where(User.id == WebhookEndpoint.user_id, User.disabled_at.is_not(None)).exists()
    return WebhookEndpoint.is_on & WebhookEndpoint.deleted_at.is_(None) & ~disabled
