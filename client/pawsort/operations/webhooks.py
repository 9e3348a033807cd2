"""Webhooks, and what was sent to them."""

from typing import Unpack

from pawsort.api.calls import NOTHING, Call, Stream, pages
from pawsort.api.operation import AsyncGroup, Group, Listing, Operation
from pawsort.schemas import (
    Delivery,
    DeliveryDetails,
    DeliveryState,
    Event,
    NewSecret,
    Replay,
    Webhook,
    WebhookChanges,
    WebhookInput,
)


class WebhookOperations:
    """Addresses that are told when something has happened."""

    @Listing
    def list(self) -> Stream[Webhook]:
        """Iterate over your webhooks, newest first; for admins over all."""
        return pages(Webhook, "/webhooks")

    @Operation
    def create(self, **webhook: Unpack[WebhookInput]) -> Call[NewSecret]:
        """Add a webhook. Only this answer shows its secret."""
        return Call(NewSecret, "POST", "/webhooks", json=webhook, is_idempotent=False)

    @Operation
    def get(self, webhook: int) -> Call[Webhook]:
        """Return a webhook."""
        return Call(Webhook, "GET", f"/webhooks/{webhook}")

    @Operation
    def update(self, webhook: int, **changes: Unpack[WebhookChanges]) -> Call[Webhook]:
        """Change a webhook; `is_on=False` turns it off."""
        return Call(Webhook, "PATCH", f"/webhooks/{webhook}", json=changes)

    @Operation
    def delete(self, webhook: int) -> Call[None]:
        """Delete a webhook, with what it still has to send."""
        return Call(NOTHING, "DELETE", f"/webhooks/{webhook}")

    @Operation
    def rotate(self, webhook: int) -> Call[NewSecret]:
        """Give a webhook a new secret; for a day, messages are signed with the old one as well."""
        return Call(NewSecret, "POST", f"/webhooks/{webhook}/rotate", is_idempotent=False)

    @Operation
    def test(self, webhook: int) -> Call[Delivery]:
        """Send a test event."""
        return Call(Delivery, "POST", f"/webhooks/{webhook}/test", is_idempotent=False)

    @Listing
    def deliveries(
        self,
        webhook: int,
        *,
        state: DeliveryState | None = None,
        event: Event | None = None,
    ) -> Stream[Delivery]:
        """Iterate over what was sent and what waits, newest first."""
        return pages(Delivery, f"/webhooks/{webhook}/deliveries", {"state": state, "event": event})

    @Operation
    def get_delivery(self, webhook: int, delivery: int) -> Call[DeliveryDetails]:
        """Return a delivery with its message and all attempts."""
        return Call(DeliveryDetails, "GET", f"/webhooks/{webhook}/deliveries/{delivery}")

    @Operation
    def replay(self, webhook: int, delivery: int) -> Call[Delivery]:
        """Send a message again."""
        return Call(Delivery, "POST", f"/webhooks/{webhook}/deliveries/{delivery}/replay")

    @Operation
    def replay_all(self, webhook: int) -> Call[Replay]:
        """Send again everything that failed, and now what waits for its next attempt."""
        return Call(Replay, "POST", f"/webhooks/{webhook}/replay")


class Webhooks(WebhookOperations, Group):
    """Addresses that are told when something has happened."""


class AsyncWebhooks(WebhookOperations, AsyncGroup):
    """Addresses that are told when something has happened."""
