"""The outbox: deliveries are rows of the transaction in which something happens, so none is lost and none invented."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, case, func, or_, select
from sqlalchemy.orm import Session

from core.accounts.rights import Right, roles_with
from core.base.clock import seconds_since
from core.base.states import DeliveryState
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
        wanted = wanted.where(or_(WebhookEndpoint.is_for_everybody, WebhookEndpoint.user_id == owner_id))
    endpoint_ids = [one for one, events in session.execute(wanted) if not events or event in events]
    if not endpoint_ids:
        return
    message_id, data = uuid4(), describe()
    for endpoint_id in endpoint_ids:
        session.add(WebhookDelivery(endpoint_id=endpoint_id, message_id=message_id, event=event, data=data))
    session.flush()


def is_active() -> ColumnElement[bool]:
    """SQL for: an endpoint that is on, of a person who may still have it."""
    may_have_it = case(
        (WebhookEndpoint.is_for_everybody, User.role.in_(roles_with(Right.OTHERS))),
        else_=User.role.in_(roles_with(Right.SEND)),
    )
    owner = select(User.id).where(User.id == WebhookEndpoint.user_id, User.disabled_at.is_(None), may_have_it)
    return WebhookEndpoint.is_on & WebhookEndpoint.deleted_at.is_(None) & owner.exists()


@dataclass(frozen=True)
class Backlog:
    """Messages that no receiver has accepted yet, those between two attempts too.

    Attributes:
        oldest_s: The age of the oldest one; 0 without any.
    """

    n_messages: int
    oldest_s: float


def read_backlog(session: Session) -> Backlog:
    """What waits for endpoints that something is sent to."""
    counted = select(func.count(), seconds_since(func.min(WebhookDelivery.occurred_at)))
    waiting = counted.join(WebhookEndpoint, WebhookEndpoint.id == WebhookDelivery.endpoint_id)
    pending = WebhookDelivery.state == DeliveryState.PENDING
    n_messages, oldest_s = session.execute(waiting.where(pending, is_active())).one()
    return Backlog(n_messages, max(oldest_s or 0.0, 0.0))
