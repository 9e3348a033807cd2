"""What was sent to an endpoint: pages of deliveries, their attempts, and replaying them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core.accounts.audit_log import Action, record
from core.accounts.rights import Actor
from core.base.clock import db_now
from core.base.database import change, locked
from core.base.errors import NotFound
from core.base.paging import Page, page_newest_first
from core.base.states import DeliveryState
from core.orm.webhooks import WebhookAttempt, WebhookDelivery
from core.webhooks.endpoints import check_on, get_own_endpoint


@dataclass(frozen=True)
class DeliveryView:
    """A delivery with its attempts, oldest first: all of them, or in lists the last one."""

    delivery: WebhookDelivery
    attempts: list[WebhookAttempt]

    @property
    def last(self) -> WebhookAttempt | None:
        """The last attempt, if there was one."""
        return self.attempts[-1] if self.attempts else None


@dataclass(frozen=True)
class DeliveryFilter:
    """Which deliveries are listed; None for any."""

    state: DeliveryState | None = None
    event: str | None = None


def list_deliveries(
    session: Session,
    actor: Actor,
    endpoint_id: int,
    wanted: DeliveryFilter,
    cursor: str | None = None,
    limit: int = 100,
) -> Page[DeliveryView]:
    """One page of what was and is to be sent to an endpoint, newest first.

    Raises:
        Forbidden, NotFound, Gone: As `get_own_endpoint`.
        OutdatedCursor: The cursor belongs to another list.
    """
    get_own_endpoint(session, actor, endpoint_id)
    query = select(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint_id)
    if wanted.state is not None:
        query = query.where(WebhookDelivery.state == wanted.state)
    if wanted.event is not None:
        query = query.where(WebhookDelivery.event == wanted.event)
    page = page_newest_first(session, query, WebhookDelivery.id, cursor, limit)
    last = _find_last(session, [one.id for one in page.items])
    return Page([DeliveryView(one, [last[one.id]] if one.id in last else []) for one in page.items], page.next)


def get_delivery(session: Session, actor: Actor, endpoint_id: int, delivery_id: int) -> DeliveryView:
    """A delivery with all its attempts.

    Raises:
        Forbidden, NotFound, Gone: As `get_own_endpoint`; there is no such delivery.
    """
    get_own_endpoint(session, actor, endpoint_id)
    delivery = _get(session, endpoint_id, delivery_id)
    attempts = select(WebhookAttempt).where(WebhookAttempt.delivery_id == delivery_id).order_by(WebhookAttempt.id)
    return DeliveryView(delivery, list(session.scalars(attempts)))


def replay(session: Session, actor: Actor, endpoint_id: int, delivery_id: int) -> WebhookDelivery:
    """Send a message again, under the same id; one that is pending is tried now, unless it is being sent.

    Raises:
        Forbidden, NotFound, Gone: As `get_delivery`.
        Conflict: The endpoint is off.
    """
    check_on(get_own_endpoint(session, actor, endpoint_id), "replay")
    delivery = _get(session, endpoint_id, delivery_id, lock=True)
    delivery.state, delivery.n_tried, delivery.finished_at = DeliveryState.PENDING, 0, None
    delivery.ready_at = db_now()
    record(session, actor, Action.WEBHOOK_REPLAY, "webhook", endpoint_id, delivery=delivery_id)
    session.flush()
    session.refresh(delivery)
    return delivery


def replay_failed(session: Session, actor: Actor, endpoint_id: int) -> int:
    """Send everything again that failed, and try now what is pending. Returns how many deliveries that are.

    Raises:
        Forbidden, NotFound, Gone: As `get_own_endpoint`.
        Conflict: The endpoint is off.
    """
    check_on(get_own_endpoint(session, actor, endpoint_id), "replay")
    waiting = (DeliveryState.FAILED, DeliveryState.PENDING)
    its = (WebhookDelivery.endpoint_id == endpoint_id) & WebhookDelivery.state.in_(waiting)
    again = {"state": DeliveryState.PENDING, "n_tried": 0, "finished_at": None, "ready_at": db_now()}
    n_deliveries = change(session, update(WebhookDelivery).where(its).values(again))
    record(session, actor, Action.WEBHOOK_REPLAY, "webhook", endpoint_id, n_deliveries=n_deliveries)
    return n_deliveries


def _get(session: Session, endpoint_id: int, delivery_id: int, lock: bool = False) -> WebhookDelivery:
    its = (WebhookDelivery.id == delivery_id) & (WebhookDelivery.endpoint_id == endpoint_id)
    query = select(WebhookDelivery).where(its)
    delivery = session.scalar(locked(query) if lock else query)
    if delivery is None:
        raise NotFound(f"Webhook {endpoint_id} has no delivery {delivery_id}; old ones are deleted.")
    return delivery


def _find_last(session: Session, delivery_ids: Sequence[int]) -> dict[int, WebhookAttempt]:
    newest = select(func.max(WebhookAttempt.id)).where(WebhookAttempt.delivery_id.in_(delivery_ids))
    last = select(WebhookAttempt).where(WebhookAttempt.id.in_(newest.group_by(WebhookAttempt.delivery_id)))
    return {one.delivery_id: one for one in session.scalars(last)}
