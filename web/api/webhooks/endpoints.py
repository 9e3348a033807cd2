"""Webhooks: list, add, change, delete, rotate the secret, send a test event."""

from collections.abc import Sequence

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from core.accounts import accounts
from core.accounts.rights import Right
from core.orm.webhooks import WebhookEndpoint
from core.webhooks import endpoints
from core.webhooks.delivery_list import DeliveryView
from core.webhooks.encryption import SecretCipher
from core.webhooks.endpoints import NewEndpoint, NewSecret
from core.webhooks.targets import Allowlist
from web.api.webhooks.deliveries import show_delivery
from web.http.context import get_services
from web.http.paths import WEBHOOK_ID
from web.http.rights import current_actor, needs
from web.schemas.webhooks import DeliveryOut, NewSecretOut, WebhookIn, WebhookList, WebhookOut, WebhookPatch

TAG = {
    "name": "Webhooks",
    "description": "Addresses that are told when something has happened, and what was sent to them",
}
api = APIBlueprint("webhooks", __name__, url_prefix="/api/v1/webhooks", tag=TAG)

ONE = f"/{WEBHOOK_ID}"


@api.get("")
@needs(Right.SEND)
@api.output(WebhookList)
def list_webhooks() -> WebhookList:
    """Your webhooks, newest first; for admins all"""
    with get_services().db.read() as session:
        found = endpoints.list_endpoints(session, current_actor())
        return WebhookList(items=_show_all(session, found), next=None)


@api.post("")
@needs(Right.SEND)
@api.input(WebhookIn)
@api.output(NewSecretOut, status_code=201)
@api.doc(responses={409: "There are as many as there may be", 422: "Webhooks may not go to this address"})
def create_webhook(json_data: WebhookIn) -> NewSecretOut:
    """Add a webhook

    Its secret is shown in this answer only. Messages follow the Standard Webhooks scheme.
    """
    new = NewEndpoint(json_data.name, json_data.url, json_data.events, json_data.scope == "everybody")
    services = get_services()
    with services.db.write() as session:
        allowlist = Allowlist.from_settings(services.settings)
        made = endpoints.create_endpoint(session, current_actor(), new, allowlist, _cipher())
        return _show_secret(session, made)


@api.get(ONE)
@needs(Right.SEND, own=True)
@api.output(WebhookOut)
def get_webhook(webhook_id: int) -> WebhookOut:
    """One webhook"""
    with get_services().db.read() as session:
        return _show(session, endpoints.get_own_endpoint(session, current_actor(), webhook_id))


@api.patch(ONE)
@needs(Right.SEND, own=True)
@api.input(WebhookPatch)
@api.output(WebhookOut)
@api.doc(responses={422: "Webhooks may not go to this address"})
def update_webhook(webhook_id: int, json_data: WebhookPatch) -> WebhookOut:
    """Change a webhook, or turn it on or off

    Fields that are not sent keep their values. Events that occur while it is off are not sent later.
    """
    changes = json_data.model_dump(exclude_none=True)
    services = get_services()
    with services.db.write() as session:
        allowlist = Allowlist.from_settings(services.settings)
        return _show(session, endpoints.update_endpoint(session, current_actor(), webhook_id, changes, allowlist))


@api.delete(ONE)
@needs(Right.SEND, own=True)
@api.output({}, status_code=204)
def delete_webhook(webhook_id: int) -> tuple[str, int]:
    """Delete a webhook, with what it still has to send"""
    with get_services().db.write() as session:
        endpoints.delete_endpoint(session, current_actor(), webhook_id)
    return "", 204


@api.post(f"{ONE}/rotate")
@needs(Right.SEND, own=True)
@api.output(NewSecretOut)
def rotate_webhook_secret(webhook_id: int) -> NewSecretOut:
    """Give a webhook a new secret

    It is shown in this answer only. For a day, messages have two signatures: of the new secret and of the old one.
    """
    with get_services().db.write() as session:
        return _show_secret(session, endpoints.rotate_secret(session, current_actor(), webhook_id, _cipher()))


@api.post(f"{ONE}/test")
@needs(Right.SEND, own=True)
@api.output(DeliveryOut, status_code=202, description="It is sent within seconds")
@api.doc(responses={409: "The webhook is off"})
def send_test_event(webhook_id: int) -> DeliveryOut:
    """Send a test event of the type `webhook.test`"""
    with get_services().db.write() as session:
        return show_delivery(DeliveryView(endpoints.send_test(session, current_actor(), webhook_id), []))


def _show(session: Session, endpoint: WebhookEndpoint) -> WebhookOut:
    (shown,) = _show_all(session, [endpoint])
    return shown


def _show_all(session: Session, found: Sequence[WebhookEndpoint]) -> list[WebhookOut]:
    people, paused = accounts.list_names(session), endpoints.find_paused(session, found)
    fields = ("id", "name", "url", "events", "is_on", "failing_since", "created_at")
    return [
        WebhookOut(
            **{name: getattr(one, name) for name in fields},
            scope="everybody" if one.is_for_everybody else "own",
            user=people.get(one.user_id),
            note=one.note or paused.get(one.id),
            last_attempt_at=one.tried_at,
        )
        for one in found
    ]


def _show_secret(session: Session, made: NewSecret) -> NewSecretOut:
    return NewSecretOut(**_show(session, made.endpoint).model_dump(), secret=made.secret)


def _cipher() -> SecretCipher:
    return SecretCipher.from_settings(get_services().settings)
