"""Sending webhooks on threads of the maintenance worker, because receivers may be slow.

    due deliveries ─► claim ─► POST, on a thread of its own ─► record

There is no message for it: whoever ends a job writes a row, and this looks every second.
"""

import threading
import time

import structlog
from sqlalchemy.exc import SQLAlchemyError

from core.base.errors import Conflict, Invalid
from core.base.states import DeliveryState
from core.operations.metrics import WEBHOOKS
from core.webhooks import deliveries, messages, signing
from core.webhooks.deliveries import DeliveryClaim
from core.webhooks.encryption import SecretCipher
from core.webhooks.posting import Answer, post
from core.webhooks.targets import Allowlist, check_url
from worker.process.code_version import installed_version
from worker.process.keep_trying import keep_trying
from worker.process.runtime import Runtime

LOOK_S = 1.0
SENDERS = 8
OUTCOMES = {DeliveryState.DELIVERED: "delivered", DeliveryState.PENDING: "retried", DeliveryState.FAILED: "failed"}

log = structlog.get_logger()


class WebhookSender:
    """A thread that looks for due deliveries every second, and those that send them."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._stopped = threading.Event()
        self._sending: list[threading.Thread] = []
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)

    def start(self) -> None:
        """Start the thread. If the process ends, the leases of what is being sent run out."""
        self._thread.start()

    def stop(self) -> None:
        """Stop when what is being sent has its answers."""
        self._stopped.set()
        for thread in (self._thread, *self._sending):
            thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(LOOK_S):
            self._sending = [thread for thread in self._sending if thread.is_alive()]
            try:
                for claim in claim_due(self._runtime, SENDERS - len(self._sending)):
                    # No pool: a process that ends waits for the threads of pools.
                    thread = threading.Thread(target=send, args=(self._runtime, claim), name="webhook", daemon=True)
                    thread.start()
                    self._sending.append(thread)
            except SQLAlchemyError as error:  # a database that does not answer for a moment
                log.warning("webhooks_wait", error=str(error))
            except Exception:  # the thread must survive any error of a library
                log.exception("webhooks_failed")


def claim_due(runtime: Runtime, most: int) -> list[DeliveryClaim]:
    """Claim deliveries that are due. It is safe to run it anywhere and concurrently."""
    if most <= 0:
        return []
    with runtime.db.read() as session:
        if not deliveries.list_due(session, 1):
            return []
    with runtime.db.write() as session:
        return deliveries.claim_due(session, most)


def send(runtime: Runtime, claim: DeliveryClaim) -> None:
    """Attempt one claimed delivery and record what came of it."""
    try:
        answer = _attempt(runtime, claim)
    except Exception as error:  # the delivery must be tried again, whatever this was
        log.exception("webhook_broke", webhook=claim.endpoint_id, delivery=claim.delivery_id)
        answer = Answer(0.0, error=f"Pawsort failed to send it ({type(error).__name__}); see its log.")
    log.info("webhook_sent", webhook=claim.endpoint_id, delivery=claim.delivery_id, status=answer.status)
    keep_trying(lambda: _record(runtime, claim, answer))


def _attempt(runtime: Runtime, claim: DeliveryClaim) -> Answer:
    settings = runtime.settings
    allowlist = Allowlist.from_settings(settings)
    try:
        target = check_url(claim.url, allowlist)
        cipher = SecretCipher.from_settings(settings)
        secrets = [cipher.decrypt(stored) for stored in claim.secrets]
    except Invalid as error:  # allowed before
        return Answer(0.0, error=error.message.removeprefix("url: "))
    except Conflict as error:
        return Answer(0.0, error=error.message)
    message = messages.make_message(claim.event, claim.occurred_at, claim.data, settings.public_url)
    body = messages.encode(message)
    headers = {"Content-Type": "application/json", "User-Agent": f"Pawsort/{installed_version()}"}
    headers |= signing.make_headers(secrets, claim.message_id, int(time.time()), body)
    return post(target, headers, body, allowlist)


def _record(runtime: Runtime, claim: DeliveryClaim, answer: Answer) -> None:
    with runtime.db.write() as session:
        state = deliveries.record_attempt(session, claim, answer)
    if state is not None:
        runtime.meter.count(WEBHOOKS, outcome=OUTCOMES[state])
