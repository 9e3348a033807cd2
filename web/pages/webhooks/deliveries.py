"""The page of one delivery: its message and every attempt; and sending again."""

import json

from flask import Blueprint, Response, render_template, url_for

from core.accounts.rights import Right
from core.webhooks import delivery_list, endpoints
from core.webhooks.messages import make_message
from core.webhooks.signing import message_name
from web.http.context import get_services
from web.http.paths import DELIVERY_ID, WEBHOOK_ID
from web.http.redirects import see_other
from web.http.rights import current_actor, needs
from web.pages.webhooks.endpoints import EVENT_WORDS, STATE_WORDS

pages = Blueprint("delivery_pages", __name__)

WEBHOOK = f"/account/webhooks/{WEBHOOK_ID}"
ONE = f"{WEBHOOK}/deliveries/{DELIVERY_ID}"


@pages.get(ONE)
@needs(Right.SEND, own=True)
def show_delivery(webhook_id: int, delivery_id: int) -> str:
    """A delivery with its message and attempts."""
    services, actor = get_services(), current_actor()
    with services.db.read() as session:
        endpoint = endpoints.get_own_endpoint(session, actor, webhook_id)
        view = delivery_list.get_delivery(session, actor, webhook_id, delivery_id)
    sent = view.delivery
    message = make_message(sent.event, sent.occurred_at, sent.data, services.settings.public_url)
    return render_template(
        "webhooks/delivery.html",
        webhook=endpoint,
        delivery=sent,
        attempts=view.attempts,
        message=json.dumps(message, indent=2),
        message_name=message_name(sent.message_id),
        event_words=EVENT_WORDS,
        state_words=STATE_WORDS,
    )


@pages.post(f"{ONE}/replay")
@needs(Right.SEND, own=True)
def replay_delivery(webhook_id: int, delivery_id: int) -> Response:
    """Send a message again."""
    with get_services().db.write() as session:
        delivery_list.replay(session, current_actor(), webhook_id, delivery_id)
    address = url_for("delivery_pages.show_delivery", webhook_id=webhook_id, delivery_id=delivery_id)
    return see_other(address)


@pages.post(f"{WEBHOOK}/replay")
@needs(Right.SEND, own=True)
def replay_failed(webhook_id: int) -> Response:
    """Send again everything that failed, and what waits."""
    with get_services().db.write() as session:
        delivery_list.replay_failed(session, current_actor(), webhook_id)
    return see_other(url_for("webhook_pages.show_webhook", webhook_id=webhook_id))
