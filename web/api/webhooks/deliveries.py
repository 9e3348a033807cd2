"""What was sent to webhooks: list it, look at it, send it again."""

from apiflask import APIBlueprint

from core.accounts.rights import Right
from core.base.states import DeliveryState
from core.orm.webhooks import WebhookAttempt
from core.webhooks import delivery_list
from core.webhooks.delivery_list import DeliveryFilter, DeliveryView
from core.webhooks.events import Event
from core.webhooks.messages import make_message
from core.webhooks.signing import message_name
from web.http.context import get_services
from web.http.paths import DELIVERY_ID, WEBHOOK_ID
from web.http.rights import current_actor, needs
from web.schemas.webhooks import AttemptOut, DeliveryDetails, DeliveryOut, DeliveryPage, DeliveryQuery, ReplayOut

api = APIBlueprint("webhook_deliveries", __name__, url_prefix=f"/api/v1/webhooks/{WEBHOOK_ID}", tag="Webhooks")

ONE = f"/deliveries/{DELIVERY_ID}"


@api.get("/deliveries")
@needs(Right.SEND, own=True)
@api.input(DeliveryQuery, location="query")
@api.output(DeliveryPage)
def list_deliveries(webhook_id: int, query_data: DeliveryQuery) -> DeliveryPage:
    """What was sent to a webhook and what waits, newest first"""
    wanted = DeliveryFilter(query_data.state, query_data.event)
    with get_services().db.read() as session:
        page = delivery_list.list_deliveries(
            session, current_actor(), webhook_id, wanted, query_data.cursor, query_data.limit
        )
    return DeliveryPage(items=[show_delivery(one) for one in page.items], next=page.next)


@api.get(ONE)
@needs(Right.SEND, own=True)
@api.output(DeliveryDetails)
def get_delivery(webhook_id: int, delivery_id: int) -> DeliveryDetails:
    """One delivery with its message and all attempts"""
    services = get_services()
    with services.db.read() as session:
        view = delivery_list.get_delivery(session, current_actor(), webhook_id, delivery_id)
    sent = view.delivery
    return DeliveryDetails(
        **show_delivery(view).model_dump(),
        attempts=[_show_attempt(one) for one in view.attempts],
        message=make_message(sent.event, sent.occurred_at, sent.data, services.settings.public_url),
    )


@api.post(f"{ONE}/replay")
@needs(Right.SEND, own=True)
@api.output(DeliveryOut, status_code=202, description="It is sent within seconds")
@api.doc(responses={409: "The webhook is off"})
def replay_delivery(webhook_id: int, delivery_id: int) -> DeliveryOut:
    """Send a message again, with the same `webhook-id`"""
    with get_services().db.write() as session:
        delivery_list.replay(session, current_actor(), webhook_id, delivery_id)
        return show_delivery(delivery_list.get_delivery(session, current_actor(), webhook_id, delivery_id))


@api.post("/replay")
@needs(Right.SEND, own=True)
@api.output(ReplayOut, status_code=202, description="They are sent one after the other")
@api.doc(responses={409: "The webhook is off"})
def replay_deliveries(webhook_id: int) -> ReplayOut:
    """Send again everything that failed, and at once what waits for its next attempt"""
    with get_services().db.write() as session:
        return ReplayOut(replayed=delivery_list.replay_failed(session, current_actor(), webhook_id))


def show_delivery(view: DeliveryView) -> DeliveryOut:
    """A delivery as lists show it."""
    sent = view.delivery
    is_pending = sent.state == DeliveryState.PENDING
    return DeliveryOut(
        id=sent.id,
        message_id=message_name(sent.message_id),
        event=Event(sent.event),
        occurred_at=sent.occurred_at,
        state=DeliveryState(sent.state),
        next_attempt_at=sent.ready_at if is_pending else None,
        finished_at=sent.finished_at,
        last_attempt=None if view.last is None else _show_attempt(view.last),
    )


def _show_attempt(attempt: WebhookAttempt) -> AttemptOut:
    names = ("at", "duration_s", "status", "error", "answer")
    return AttemptOut(**{name: getattr(attempt, name) for name in names})
