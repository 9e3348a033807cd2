"""Endpoints: who may have which, and what each one gets."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.accounts.audit_log import Action, record
from core.accounts.rights import ROLE_RIGHTS, Actor, Right, Role, check_owner, check_right
from core.base.clock import DAY_S, db_now
from core.base.database import locked
from core.base.errors import Conflict, Gone, Invalid, NotFound
from core.base.names import MAX_SHORT_NAME, check_name
from core.orm.accounts import User
from core.orm.webhooks import WebhookDelivery, WebhookEndpoint
from core.webhooks.encryption import SecretCipher
from core.webhooks.events import SUBSCRIBABLE, Event
from core.webhooks.signing import new_secret
from core.webhooks.targets import Allowlist, check_url

MAX_ENDPOINTS = 20  # of one person
EDITABLE = frozenset(("name", "url", "events", "is_on"))


@dataclass(frozen=True)
class NewEndpoint:
    """An endpoint as somebody wants it.

    Attributes:
        events: The types that it gets; empty for all.
        is_for_everybody: It gets everybody's events, not only those of the person who makes it, while that is an admin.
    """

    name: str
    url: str
    events: Collection[str] = ()
    is_for_everybody: bool = False


class NewSecret(NamedTuple):
    """A secret to be shown now, and never again, and the endpoint that signs with it."""

    endpoint: WebhookEndpoint
    secret: str


def create_endpoint(
    session: Session, actor: Actor, new: NewEndpoint, allowlist: Allowlist, cipher: SecretCipher
) -> NewSecret:
    """Add an endpoint.

    Raises:
        Forbidden: Only admins may have one for everybody's events.
        Invalid: The name, the address or an event cannot be used.
        Conflict: There are as many as there may be.
    """
    check_right(actor, _needed_right(new.is_for_everybody))
    _check_room(session, actor.user_id)
    check_url(new.url, allowlist)
    secret = new_secret()
    endpoint = WebhookEndpoint(
        user_id=actor.user_id,
        is_for_everybody=new.is_for_everybody,
        name=check_name(new.name, MAX_SHORT_NAME),
        url=new.url,
        events=_check_events(new.events),
        secret=cipher.encrypt(secret),
    )
    session.add(endpoint)
    session.flush()
    session.refresh(endpoint)
    record(session, actor, Action.WEBHOOK_CREATE, "webhook", endpoint.id, name=endpoint.name)
    return NewSecret(endpoint, secret)


def update_endpoint(
    session: Session, actor: Actor, endpoint_id: int, changes: dict[str, Any], allowlist: Allowlist
) -> WebhookEndpoint:
    """Change an endpoint. Turned on, it sends what still waits, and nothing of the time in between.

    Args:
        changes: New values by name, some of `EDITABLE`.
    Raises:
        Forbidden, NotFound, Gone, Invalid: As `get_own_endpoint` and `create_endpoint`.
    """
    assert changes.keys() <= EDITABLE, changes
    endpoint = get_own_endpoint(session, actor, endpoint_id, lock=True)
    if "name" in changes:
        endpoint.name = check_name(changes["name"], MAX_SHORT_NAME)
    if "url" in changes:
        check_url(changes["url"], allowlist)
        endpoint.url = changes["url"]
    if "events" in changes:
        endpoint.events = _check_events(changes["events"])
    if "is_on" in changes:
        endpoint.is_on, endpoint.note, endpoint.failing_since = changes["is_on"], None, None
    record(session, actor, Action.WEBHOOK_CHANGE, "webhook", endpoint.id, changed=", ".join(sorted(changes)))
    session.flush()
    return endpoint


def rotate_secret(session: Session, actor: Actor, endpoint_id: int, cipher: SecretCipher) -> NewSecret:
    """Give an endpoint a new secret; for a day messages are signed with the old one as well, if the key can read it.

    Raises:
        Forbidden, NotFound, Gone: As `get_own_endpoint`.
    """
    endpoint = get_own_endpoint(session, actor, endpoint_id, lock=True)
    endpoint.previous_secret = endpoint.secret if cipher.can_decrypt(endpoint.secret) else None
    endpoint.previous_until = db_now(DAY_S)
    secret = new_secret()
    endpoint.secret = cipher.encrypt(secret)
    record(session, actor, Action.WEBHOOK_ROTATE, "webhook", endpoint.id)
    session.flush()
    return NewSecret(endpoint, secret)


def renew_encryption(session: Session, cipher: SecretCipher) -> int:
    """Encrypt with the newest key what a former one encrypted, or a version before stored as it was.

    Returns:
        For how many endpoints.
    """
    n_renewed = 0
    for endpoint in session.scalars(locked(select(WebhookEndpoint).order_by(WebhookEndpoint.id))):
        before = endpoint.secret, endpoint.previous_secret
        endpoint.secret = cipher.renew(endpoint.secret)
        endpoint.previous_secret = endpoint.previous_secret and cipher.renew(endpoint.previous_secret)
        n_renewed += (endpoint.secret, endpoint.previous_secret) != before
    session.flush()
    return n_renewed


def delete_endpoint(session: Session, actor: Actor, endpoint_id: int) -> None:
    """Delete an endpoint at once, with its address and secrets; its deliveries go later (`deliveries.prune`).

    Raises:
        Forbidden, NotFound, Gone: As `get_own_endpoint`.
    """
    endpoint = get_own_endpoint(session, actor, endpoint_id, lock=True)
    record(session, actor, Action.WEBHOOK_DELETE, "webhook", endpoint.id, name=endpoint.name)
    endpoint.name = endpoint.url = endpoint.secret = ""
    endpoint.previous_secret = endpoint.note = None
    endpoint.is_on, endpoint.deleted_at = False, db_now()
    session.flush()


def send_test(session: Session, actor: Actor, endpoint_id: int) -> WebhookDelivery:
    """Send an event that reports nothing.

    Raises:
        Forbidden, NotFound, Gone: As `get_own_endpoint`.
        Conflict: The endpoint is off.
    """
    endpoint = get_own_endpoint(session, actor, endpoint_id)
    check_on(endpoint, "send a test event")
    delivery = WebhookDelivery(
        endpoint_id=endpoint.id, message_id=uuid4(), event=Event.TEST, data={"webhook": endpoint.id}
    )
    session.add(delivery)
    session.flush()
    session.refresh(delivery)
    return delivery


def list_endpoints(session: Session, actor: Actor) -> list[WebhookEndpoint]:
    """The endpoints of a person, newest first; for admins all."""
    there = select(WebhookEndpoint).where(WebhookEndpoint.deleted_at.is_(None))
    if not actor.may(Right.OTHERS):
        there = there.where(WebhookEndpoint.user_id == actor.user_id, ~WebhookEndpoint.is_for_everybody)
    return list(session.scalars(there.order_by(WebhookEndpoint.id.desc())))


def get_own_endpoint(session: Session, actor: Actor, endpoint_id: int, lock: bool = False) -> WebhookEndpoint:
    """An endpoint that a person may see and change.

    Raises:
        Forbidden: It is somebody else's, or for everybody's events, and the actor is no admin.
        NotFound: There never was one.
        Gone: It was deleted.
    """
    query = select(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id)
    endpoint = session.scalar(locked(query) if lock else query)
    if endpoint is None:
        raise NotFound(f"There is no webhook {endpoint_id}. GET /api/v1/webhooks lists yours.")
    check_owner(actor, None if endpoint.is_for_everybody else endpoint.user_id, f"webhook {endpoint_id}")
    if endpoint.deleted_at is not None:
        raise Gone(f"Webhook {endpoint_id} has been deleted; its id is not used again.")
    return endpoint


def find_paused(session: Session, found: Collection[WebhookEndpoint]) -> dict[int, str]:
    """Why nothing is sent to some endpoints although they are on: their persons may no longer have them."""
    owners = select(User).where(User.id.in_({one.user_id for one in found}))
    people = {user.id: user for user in session.scalars(owners)}
    reasons = ((one.id, _why_paused(people[one.user_id], one.is_for_everybody)) for one in found)
    return {endpoint_id: reason for endpoint_id, reason in reasons if reason}


def _why_paused(owner: User, is_for_everybody: bool) -> str | None:
    role = Role(owner.role)
    if owner.disabled_at is None and _needed_right(is_for_everybody) in ROLE_RIGHTS[role]:
        return None
    state = f"is now a {role}" if owner.disabled_at is None else "is disabled"
    return f"Nothing is sent, because “{owner.name}”, who added it, {state}."


def _needed_right(is_for_everybody: bool) -> Right:
    return Right.OTHERS if is_for_everybody else Right.SEND


def check_on(endpoint: WebhookEndpoint, then: str) -> None:
    """Check that an endpoint is on.

    Args:
        then: What can be done once it is.
    Raises:
        Conflict: It is off.
    """
    if not endpoint.is_on:
        raise Conflict(f"Webhook {endpoint.id} is off. Turn it on, then {then}.")


def _check_room(session: Session, owner_id: int) -> None:
    own = (WebhookEndpoint.user_id == owner_id) & WebhookEndpoint.deleted_at.is_(None)
    there = select(func.count()).select_from(WebhookEndpoint).where(own)
    if session.scalars(there).one() >= MAX_ENDPOINTS:
        raise Conflict(f"There are {MAX_ENDPOINTS} webhooks already. Delete one first.")


def _check_events(events: Collection[str]) -> list[str]:
    unknown = sorted(set(events) - set(SUBSCRIBABLE))
    if unknown:
        raise Invalid(f"events: expected some of {', '.join(SUBSCRIBABLE)}; got {unknown[0][:50]!r}.")
    return [event for event in SUBSCRIBABLE if event in events]
