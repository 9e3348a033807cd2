"""Deliveries: claimed one at a time for each endpoint, attempted, recorded, and in the end deleted.

    pending ─► claimed (lease, fence) ─► POST ─► delivered │ pending again, later │ failed, after the last attempt

A process that is killed between the POST and its record sends the same message again, with the same id.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, select
from sqlalchemy.orm import Session

from core.accounts.audit_log import Action, record
from core.base import leases
from core.base.clock import DAY_S, db_now, has_come, seconds_since
from core.base.database import change, locked, slices
from core.base.states import DeliveryState
from core.orm.webhooks import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from core.webhooks import retries
from core.webhooks.outbox import is_active
from core.webhooks.posting import Answer

LEASE_S = 90.0  # longer than looking a name up and an attempt take together
SLICE = 1000


@dataclass(frozen=True)
class DeliveryClaim:
    """A delivery that one worker attempts, with everything that it needs for that.

    Attributes:
        secrets: The present secret, and for a day the previous one, as they are stored.
    """

    delivery_id: int
    fence: int
    endpoint_id: int
    url: str
    secrets: tuple[str, ...] = field(repr=False)
    message_id: UUID
    event: str
    occurred_at: datetime
    data: dict[str, Any]


def claim_due(session: Session, most: int) -> list[DeliveryClaim]:
    """Claim what `list_due` finds, as far as no other worker does at this moment."""
    claims = [_claim(session, delivery_id) for delivery_id in list_due(session, most)]
    return [claim for claim in claims if claim is not None]


def list_due(session: Session, most: int) -> list[int]:
    """The oldest due delivery of each endpoint that is sent nothing at the moment.

    The endpoint that has waited longest comes first, so a slow one delays no other.
    """
    in_flight = select(WebhookDelivery.endpoint_id).where(_is_pending(), leases.is_current(WebhookDelivery.lease_until))
    due = select(func.min(WebhookDelivery.id)).where(_is_due(), WebhookDelivery.endpoint_id.not_in(in_flight))
    oldest = due.group_by(WebhookDelivery.endpoint_id)
    found = (
        select(WebhookDelivery.id)
        .join(WebhookEndpoint, WebhookEndpoint.id == WebhookDelivery.endpoint_id)
        .where(WebhookDelivery.id.in_(oldest), is_active())
        .order_by(WebhookEndpoint.tried_at.is_not(None), WebhookEndpoint.tried_at, WebhookDelivery.id)
    )
    return list(session.scalars(found.limit(most)))


def _claim(session: Session, delivery_id: int) -> DeliveryClaim | None:
    query = select(WebhookDelivery).where(WebhookDelivery.id == delivery_id, _is_due())
    delivery = session.scalar(locked(query))
    if delivery is None:  # claimed by another worker at this moment
        return None
    fence = leases.claim(delivery, LEASE_S)
    session.flush()
    endpoint = session.get_one(WebhookEndpoint, delivery.endpoint_id)
    is_valid = (WebhookEndpoint.id == endpoint.id) & (WebhookEndpoint.previous_until > db_now())
    previous = session.scalar(select(WebhookEndpoint.previous_secret).where(is_valid))
    return DeliveryClaim(
        delivery.id,
        fence,
        endpoint.id,
        endpoint.url,
        (endpoint.secret, previous) if previous else (endpoint.secret,),
        delivery.message_id,
        delivery.event,
        delivery.occurred_at,
        delivery.data,
    )


def record_attempt(session: Session, claim: DeliveryClaim, answer: Answer) -> DeliveryState | None:
    """Record what came of an attempt, and what happens next.

    The attempt is on record even if the claim is no longer valid; the state of the delivery is then left alone.

    Returns:
        The state of the delivery now; None if the claim is no longer valid.
    """
    held = (WebhookDelivery.id == claim.delivery_id) & (WebhookDelivery.fence == claim.fence)
    delivery = session.scalar(locked(select(WebhookDelivery).where(held, _is_pending())))
    if session.get(WebhookDelivery, claim.delivery_id) is None:  # deleted meanwhile
        return None
    session.add(
        WebhookAttempt(
            delivery_id=claim.delivery_id,
            duration_s=answer.duration_s,
            status=answer.status,
            error=answer.error,
            answer=answer.text,
        )
    )
    if delivery is not None:
        _move_on(delivery, answer)
    session.flush()
    endpoint = session.scalars(locked(select(WebhookEndpoint).where(WebhookEndpoint.id == claim.endpoint_id))).one()
    endpoint.tried_at = db_now()
    if answer.is_good:
        endpoint.failing_since = None
    else:
        _note_failure(session, endpoint, answer)
    session.flush()
    return None if delivery is None else DeliveryState(delivery.state)


def _move_on(delivery: WebhookDelivery, answer: Answer) -> None:
    leases.release(delivery)
    delivery.n_tried += 1
    pause_s = retries.pause_s(delivery.n_tried, answer.retry_after_s)
    if answer.is_good or pause_s is None:
        delivery.state = DeliveryState.DELIVERED if answer.is_good else DeliveryState.FAILED
        delivery.finished_at = db_now()
    else:
        delivery.ready_at = db_now(pause_s)


def _note_failure(session: Session, endpoint: WebhookEndpoint, answer: Answer) -> None:
    if endpoint.failing_since is None:
        endpoint.failing_since = db_now()
        session.flush()
    its = WebhookEndpoint.id == endpoint.id
    failing_s = session.scalars(select(seconds_since(WebhookEndpoint.failing_since)).where(its)).one()
    if answer.status == retries.GONE:
        note = "The receiver answered 410 Gone."
    elif failing_s >= retries.GIVE_UP_S:
        note = f"Every attempt failed for {retries.GIVE_UP_S / DAY_S:g} days."
    else:
        return
    if endpoint.is_on:
        endpoint.is_on, endpoint.note = False, note
        record(session, None, Action.WEBHOOK_DISABLE, "webhook", endpoint.id, reason=note)


def prune(session: Session, older_than_days: float) -> int:
    """Delete a slice of deliveries that are old, or whose endpoint was deleted. Returns how many."""
    gone = select(WebhookEndpoint.id).where(WebhookEndpoint.deleted_at.is_not(None))
    is_over = WebhookDelivery.occurred_at < db_now(-older_than_days * DAY_S)
    is_over |= WebhookDelivery.endpoint_id.in_(gone)
    over = list(session.scalars(select(WebhookDelivery.id).where(is_over).order_by(WebhookDelivery.id).limit(SLICE)))
    for slice_ in slices(over):
        change(session, delete(WebhookAttempt).where(WebhookAttempt.delivery_id.in_(slice_)))
        change(session, delete(WebhookDelivery).where(WebhookDelivery.id.in_(slice_)))
    return len(over)


def _is_pending() -> ColumnElement[bool]:
    return WebhookDelivery.state == DeliveryState.PENDING


def _is_due() -> ColumnElement[bool]:
    is_free = leases.is_free(WebhookDelivery.lease_until)
    return and_(_is_pending(), is_free, has_come(WebhookDelivery.ready_at, retries.LONGEST_S))
