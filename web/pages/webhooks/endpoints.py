"""The pages of webhooks: a list with a form for a new one, and one webhook with its settings and what was sent."""

from dataclasses import dataclass

from flask import Blueprint, Request, Response, render_template, request, url_for

from core.accounts import accounts
from core.accounts.rights import Right
from core.base.errors import Conflict, Invalid
from core.base.states import DeliveryState
from core.orm.webhooks import WebhookEndpoint
from core.webhooks import delivery_list, endpoints
from core.webhooks.delivery_list import DeliveryFilter
from core.webhooks.encryption import SecretCipher
from core.webhooks.endpoints import NewEndpoint
from core.webhooks.events import SUBSCRIBABLE, Event
from core.webhooks.targets import Allowlist
from web.http.arguments import member_of, one_of, read_argument
from web.http.context import get_services
from web.http.paths import WEBHOOK_ID
from web.http.redirects import see_other
from web.http.rights import current_actor, needs

pages = Blueprint("webhook_pages", __name__)

SHOWN = 50
ONE = f"/account/webhooks/{WEBHOOK_ID}"
EVENT_WORDS = {
    Event.JOB_DONE: "a job is done",
    Event.JOB_FAILED: "a job has failed",
    Event.JOB_CANCELLED: "a job was stopped",
    Event.TRAINING_DONE: "a training is done",
    Event.TRAINING_FAILED: "a training has failed",
    Event.TRAINING_CANCELLED: "a training was stopped",
    Event.VERSION_PROMOTED: "another version is in use",
    Event.VERSION_ROLLED_BACK: "the previous version is in use again",
    Event.SCHEDULE_FAILED: "a run of a schedule has failed",
    Event.TEST: "somebody asks for a test",
}
STATE_WORDS = {
    DeliveryState.DELIVERED: ("Delivered", "done"),
    DeliveryState.PENDING: ("Waiting", "queued"),
    DeliveryState.FAILED: ("Failed", "failed"),
}


@dataclass(frozen=True)
class WebhookForm:
    """The form as it was sent; `error` says what is wrong with it."""

    name: str = ""
    url: str = ""
    events: frozenset[str] = frozenset()
    is_for_everybody: bool = False
    error: str | None = None

    @classmethod
    def from_request(cls, sent: Request, error: str | None = None) -> "WebhookForm":
        """Read the fields."""
        form = sent.form
        events = frozenset(form.getlist("event")) & frozenset(SUBSCRIBABLE)
        return cls(form.get("name", ""), form.get("url", "").strip(), events, "everybody" in form, error)

    @classmethod
    def from_endpoint(cls, endpoint: WebhookEndpoint) -> "WebhookForm":
        """The present values."""
        return cls(endpoint.name, endpoint.url, frozenset(endpoint.events), endpoint.is_for_everybody)


@pages.get("/account/webhooks")
@needs(Right.SEND)
def list_webhooks() -> str:
    """The person's webhooks; for admins all."""
    return _show_list(WebhookForm())


@pages.post("/account/webhooks")
@needs(Right.SEND)
def create_webhook() -> str | tuple[str, int]:
    """Add a webhook and show its secret, this one time."""
    form = WebhookForm.from_request(request)
    new = NewEndpoint(form.name, form.url, form.events, form.is_for_everybody)
    try:
        with get_services().db.write() as session:
            made = endpoints.create_endpoint(session, current_actor(), new, _allowlist(), _cipher())
    except (Invalid, Conflict) as error:
        return _show_list(WebhookForm.from_request(request, _sentence(error))), 422
    return _show_one(made.endpoint.id, secret=made.secret)


@pages.get(ONE)
@needs(Right.SEND, own=True)
def show_webhook(webhook_id: int) -> str:
    """A webhook, with what was sent to it."""
    return _show_one(webhook_id)


@pages.post(ONE)
@needs(Right.SEND, own=True)
def change_webhook(webhook_id: int) -> Response | tuple[str, int]:
    """Save name, address and events."""
    form = WebhookForm.from_request(request)
    changes = {"name": form.name, "url": form.url, "events": form.events}
    try:
        with get_services().db.write() as session:
            endpoints.update_endpoint(session, current_actor(), webhook_id, changes, _allowlist())
    except Invalid as error:
        return _show_one(webhook_id, WebhookForm.from_request(request, _sentence(error))), 422
    return _back_to(webhook_id)


@pages.post(f"{ONE}/switch")
@needs(Right.SEND, own=True)
def switch_webhook(webhook_id: int) -> Response:
    """Turn a webhook on or off."""
    changes = {"is_on": request.form.get("is_on") == "1"}
    with get_services().db.write() as session:
        endpoints.update_endpoint(session, current_actor(), webhook_id, changes, _allowlist())
    return _back_to(webhook_id)


@pages.post(f"{ONE}/rotate")
@needs(Right.SEND, own=True)
def rotate_secret(webhook_id: int) -> str:
    """Give a webhook a new secret and show it, this one time."""
    with get_services().db.write() as session:
        made = endpoints.rotate_secret(session, current_actor(), webhook_id, _cipher())
    return _show_one(webhook_id, secret=made.secret)


@pages.post(f"{ONE}/test")
@needs(Right.SEND, own=True)
def send_test(webhook_id: int) -> Response:
    """Send a test event."""
    with get_services().db.write() as session:
        endpoints.send_test(session, current_actor(), webhook_id)
    return _back_to(webhook_id)


@pages.get(f"{ONE}/delete")
@needs(Right.SEND, own=True)
def confirm_delete(webhook_id: int) -> str:
    """Ask before a webhook is deleted."""
    with get_services().db.read() as session:
        endpoint = endpoints.get_own_endpoint(session, current_actor(), webhook_id)
    return render_template("webhooks/delete.html", webhook=endpoint)


@pages.post(f"{ONE}/delete")
@needs(Right.SEND, own=True)
def delete_webhook(webhook_id: int) -> Response:
    """Delete a webhook."""
    with get_services().db.write() as session:
        endpoints.delete_endpoint(session, current_actor(), webhook_id)
    return see_other(url_for("webhook_pages.list_webhooks"))


def _show_list(form: WebhookForm) -> str:
    with get_services().db.read() as session:
        found = endpoints.list_endpoints(session, current_actor())
        names, paused = accounts.list_names(session), endpoints.find_paused(session, found)
    return render_template(
        "webhooks/list.html",
        webhooks=found,
        paused=paused,
        people=names,
        form=form,
        event_words=EVENT_WORDS,
        events=SUBSCRIBABLE,
    )


def _show_one(webhook_id: int, form: WebhookForm | None = None, secret: str | None = None) -> str:
    wanted, cursor = _read_filter(), request.args.get("cursor") or None
    actor = current_actor()
    with get_services().db.read() as session:
        endpoint = endpoints.get_own_endpoint(session, actor, webhook_id)
        page = delivery_list.list_deliveries(session, actor, webhook_id, wanted, cursor, SHOWN)
        names, paused = accounts.list_names(session), endpoints.find_paused(session, [endpoint])
    return render_template(
        "webhooks/webhook.html",
        webhook=endpoint,
        paused=paused,
        people=names,
        secret=secret,
        form=form or WebhookForm.from_endpoint(endpoint),
        deliveries=page.items,
        next=page.next,
        is_first_page=cursor is None,
        wanted=wanted,
        event_words=EVENT_WORDS,
        events=SUBSCRIBABLE,
        state_words=STATE_WORDS,
    )


def _read_filter() -> DeliveryFilter:
    """The filter of the address."""
    return DeliveryFilter(read_argument("state", member_of(DeliveryState)), read_argument("event", one_of(EVENT_WORDS)))


def _cipher() -> SecretCipher:
    return SecretCipher.from_settings(get_services().settings)


def _allowlist() -> Allowlist:
    return Allowlist.from_settings(get_services().settings)


def _sentence(error: Invalid | Conflict) -> str:
    """The message for people, who do not know the names of fields."""
    field, _, rest = error.message.partition(": ")
    return f"{field.capitalize()}: {rest}" if field in ("url", "name", "events") else error.message


def _back_to(webhook_id: int) -> Response:
    return see_other(url_for("webhook_pages.show_webhook", webhook_id=webhook_id))
