"""Webhooks as they arrive: at a real server, through kills, failures and replays."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select, update
from standardwebhooks import Webhook

from core.base.clock import db_now
from core.base.config import Settings
from core.base.database import Database
from core.base.states import DeliveryState
from core.operations import metrics
from core.operations.metrics import MetricsSnapshot
from core.orm.webhooks import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from core.webhooks import delivery_list, endpoints, retries
from core.webhooks.delivery_list import DeliveryFilter, DeliveryView
from core.webhooks.encryption import SecretCipher
from core.webhooks.endpoints import NewEndpoint
from core.webhooks.retries import JITTER, PAUSES_S
from core.webhooks.signing import new_secret
from core.webhooks.targets import Allowlist
from tests.support.actors import as_owner
from tests.support.fakes import FakeRuntime
from tests.support.secrets import CIPHER
from tests.support.tiny_server import Answer, Asked, tiny_server
from tests.support.waiting import until
from worker.maintenance import reconcile, webhooks

HERE = "127.0.0.1"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Webhooks may go to this machine."""
    return settings.model_copy(update={"webhook_hosts": HERE, "public_url": "https://pawsort.example.org"})


def add_endpoint(db: Database, url: str) -> WebhookEndpoint:
    with db.write() as session:
        new, allowlist = NewEndpoint("archive", url, is_for_everybody=True), Allowlist(frozenset((HERE,)))
        return endpoints.create_endpoint(session, as_owner(session), new, allowlist, CIPHER).endpoint


def add_event(db: Database, endpoint: WebhookEndpoint) -> int:
    with db.write() as session:
        return endpoints.send_test(session, as_owner(session), endpoint.id).id


def deliver(runtime: FakeRuntime) -> int:
    """One look, with everything that is due then."""
    claims = webhooks.claim_due(runtime, webhooks.SENDERS)
    for claim in claims:
        webhooks.send(runtime, claim)
    return len(claims)


def look_at(db: Database, endpoint: WebhookEndpoint, delivery_id: int) -> DeliveryView:
    with db.write() as session:
        return delivery_list.get_delivery(session, as_owner(session), endpoint.id, delivery_id)


def let_time_pass(db: Database) -> float:
    """Make the next attempt due; returns in how many seconds it would have been."""
    with db.write() as session:
        ready_at, now = session.execute(select(WebhookDelivery.ready_at, db_now())).one()
        session.execute(update(WebhookDelivery).values(ready_at=db_now()))
    moment = now if isinstance(now, datetime) else datetime.fromisoformat(now).replace(tzinfo=UTC)
    return float((ready_at - moment).total_seconds())


def verified(endpoint: WebhookEndpoint, asked: Asked) -> dict[str, Any]:
    headers = {name.lower(): value for name, value in asked.headers.items()}
    message: dict[str, Any] = Webhook(CIPHER.decrypt(endpoint.secret)).verify(asked.body, headers)
    return message


def test_a_receiver_that_fails_five_times_gets_one_message_in_effect_with_a_complete_log(
    runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses_s = (300.0, *PAUSES_S[1:])  # the first one could be over before a busy machine has looked
    monkeypatch.setattr(retries, "PAUSES_S", pauses_s)
    fails = [Answer(500, "no"), Answer(503), Answer(404), Answer(-1), Answer(302)]
    with tiny_server(*fails, Answer(204, "")) as (url, asked):
        endpoint = add_endpoint(runtime.db, f"{url}/hook")
        delivery_id = add_event(runtime.db, endpoint)
        for usual_s in pauses_s[: len(fails)]:
            assert deliver(runtime) == 1
            assert deliver(runtime) == 0  # not before the pause is over
            pause_s = let_time_pass(runtime.db)
            assert usual_s * (1 - 2 * JITTER) < pause_s <= usual_s * (1 + JITTER)
        assert deliver(runtime) == 1
        assert deliver(runtime) == 0
    messages = [verified(endpoint, one) for one in asked]
    assert len(messages) == 6
    assert len({one.headers["webhook-id"] for one in asked}) == 1
    assert messages[0] == messages[-1]
    view = look_at(runtime.db, endpoint, delivery_id)
    assert view.delivery.state == DeliveryState.DELIVERED
    assert [one.status for one in view.attempts] == [500, 503, 404, None, 302, 204]
    assert (view.attempts[0].answer, view.attempts[3].error) == ('"no"', "The host did not answer in HTTP.")
    runtime.meter.flush(runtime.db)
    with runtime.db.read() as session:
        counts = MetricsSnapshot(session).counts(metrics.WEBHOOKS)
    assert {labels["outcome"]: n for labels, n in counts} == {"delivered": 1, "retried": 5}


def test_a_message_has_type_timestamp_and_data_with_whole_links(runtime: FakeRuntime) -> None:
    with tiny_server(Answer()) as (url, asked):
        endpoint = add_endpoint(runtime.db, url)
        add_event(runtime.db, endpoint)
        with runtime.db.write() as session:
            session.execute(update(WebhookDelivery).values(data={"job": "j", "links": {"page": "/jobs/j"}}))
        deliver(runtime)
    message = json.loads(asked[0].body)
    assert message["type"] == "webhook.test"
    assert datetime.fromisoformat(message["timestamp"]).tzinfo is not None
    assert message["data"] == {"job": "j", "links": {"page": "https://pawsort.example.org/jobs/j"}}
    assert asked[0].headers["Content-Type"] == "application/json"
    assert asked[0].headers["User-Agent"].startswith("Pawsort/")


def test_a_worker_that_is_killed_before_it_sends_loses_nothing(runtime: FakeRuntime) -> None:
    with tiny_server(Answer()) as (url, asked):
        add_event(runtime.db, add_endpoint(runtime.db, url))
        assert len(webhooks.claim_due(runtime, 8)) == 1  # and the process ends
        assert deliver(runtime) == 0
        let_leases_run_out(runtime.db)
        assert deliver(runtime) == 1
    assert len(asked) == 1


def test_a_worker_that_is_killed_before_it_records_sends_the_same_message_again(runtime: FakeRuntime) -> None:
    with tiny_server(Answer()) as (url, asked):
        endpoint = add_endpoint(runtime.db, url)
        delivery_id = add_event(runtime.db, endpoint)
        (late,) = webhooks.claim_due(runtime, 8)
        let_leases_run_out(runtime.db)
        assert deliver(runtime) == 1
        webhooks.send(runtime, late)  # it was only slow: its attempt is on record and changes nothing
    assert len({one.headers["webhook-id"] for one in asked}) == 1
    view = look_at(runtime.db, endpoint, delivery_id)
    assert (view.delivery.state, len(view.attempts)) == (DeliveryState.DELIVERED, 2)


def let_leases_run_out(db: Database) -> None:
    with db.write() as session:
        session.execute(update(WebhookDelivery).values(lease_until=db_now(-1)))


def test_an_endpoint_gets_one_message_at_a_time_and_delays_no_other(runtime: FakeRuntime) -> None:
    slow, quick = (add_endpoint(runtime.db, f"http://{HERE}:{port}/") for port in (1, 2))
    first, *_ = [add_event(runtime.db, slow) for _ in range(3)]
    other = add_event(runtime.db, quick)
    assert [one.delivery_id for one in webhooks.claim_due(runtime, 8)] == [first, other]
    assert webhooks.claim_due(runtime, 8) == []


def test_replaying_what_is_being_sent_sends_no_second_message_meanwhile(runtime: FakeRuntime) -> None:
    endpoint = add_endpoint(runtime.db, f"http://{HERE}:1/")
    delivery_id = add_event(runtime.db, endpoint)
    (claim,) = webhooks.claim_due(runtime, 8)
    for _ in range(2):
        with runtime.db.write() as session:
            delivery_list.replay(session, as_owner(session), endpoint.id, delivery_id)
            delivery_list.replay_failed(session, as_owner(session), endpoint.id)
        assert webhooks.claim_due(runtime, 8) == []
    webhooks.send(runtime, claim)
    view = look_at(runtime.db, endpoint, delivery_id)
    assert (view.delivery.state, view.delivery.n_tried, len(view.attempts)) == (DeliveryState.PENDING, 1, 1)


def test_a_claim_shows_no_secret_in_logs(runtime: FakeRuntime) -> None:
    endpoint = add_endpoint(runtime.db, f"http://{HERE}:1/")
    add_event(runtime.db, endpoint)
    (claim,) = webhooks.claim_due(runtime, 8)
    assert endpoint.secret in claim.secrets
    assert endpoint.secret not in repr(claim)


def test_a_secret_that_cannot_be_read_is_an_attempt_that_says_what_to_do(runtime: FakeRuntime) -> None:
    endpoint = add_endpoint(runtime.db, f"http://{HERE}:1/")
    delivery_id = add_event(runtime.db, endpoint)
    key = runtime.settings.secret_key
    for other, sentence in (("x" * 32, "another PAWSORT_SECRET_KEY"), ("", "has no PAWSORT_SECRET_KEY")):
        runtime.settings = runtime.settings.model_copy(update={"secret_key": SecretStr(other)})
        deliver(runtime)
        let_time_pass(runtime.db)
        assert sentence in (look_at(runtime.db, endpoint, delivery_id).attempts[-1].error or "")
    runtime.settings = runtime.settings.model_copy(update={"secret_key": key})


def test_secrets_of_earlier_versions_sign_and_are_encrypted(runtime: FakeRuntime) -> None:
    with tiny_server(Answer()) as (url, asked):
        endpoint = add_endpoint(runtime.db, url)
        plain, before = new_secret(), new_secret()
        values = {"secret": plain, "previous_secret": before, "previous_until": db_now(60)}
        with runtime.db.write() as session:
            session.execute(update(WebhookEndpoint).values(values))
        for _ in range(2):
            add_event(runtime.db, endpoint)
            deliver(runtime)
            reconcile.encrypt_webhook_secrets(runtime)
    for one in asked:
        headers = {name.lower(): value for name, value in one.headers.items()}
        for secret in (plain, before):
            Webhook(secret).verify(one.body, headers)
    with runtime.db.read() as session:
        row = session.get_one(WebhookEndpoint, endpoint.id)
    assert len(asked) == 2
    assert not {plain, before} & {row.secret, row.previous_secret}


def test_with_another_secret_key_secrets_are_encrypted_again_as_long_as_the_former_one_follows_it(
    runtime: FakeRuntime,
) -> None:
    endpoint = add_endpoint(runtime.db, f"http://{HERE}:1/")
    settings, new = runtime.settings, "n" * 32
    both = SecretStr(f"{new}\n{settings.secret_key.get_secret_value()}")
    runtime.settings = settings.model_copy(update={"secret_key": both})
    reconcile.encrypt_webhook_secrets(runtime)
    runtime.settings = settings
    with runtime.db.read() as session:
        renewed = session.get_one(WebhookEndpoint, endpoint.id).secret
    assert SecretCipher(new).decrypt(renewed) == CIPHER.decrypt(endpoint.secret)


def test_the_endpoint_that_has_waited_longest_comes_first(runtime: FakeRuntime) -> None:
    with tiny_server(Answer()) as (url, _):
        before, after = add_endpoint(runtime.db, url), add_endpoint(runtime.db, url)
        for endpoint in (before, before, after):
            add_event(runtime.db, endpoint)
        for claim in webhooks.claim_due(runtime, 1):
            webhooks.send(runtime, claim)
        assert [one.endpoint_id for one in webhooks.claim_due(runtime, 1)] == [after.id]


def test_after_the_last_attempt_a_delivery_has_failed_and_can_be_replayed(runtime: FakeRuntime) -> None:
    with tiny_server(Answer(500), Answer()) as (url, asked):
        endpoint = add_endpoint(runtime.db, url)
        delivery_id = add_event(runtime.db, endpoint)
        with runtime.db.write() as session:
            session.execute(update(WebhookDelivery).values(n_tried=len(PAUSES_S)))
        deliver(runtime)
        assert look_at(runtime.db, endpoint, delivery_id).delivery.state == DeliveryState.FAILED
        assert deliver(runtime) == 0
        with runtime.db.write() as session:
            assert delivery_list.replay_failed(session, as_owner(session), endpoint.id) == 1
        assert deliver(runtime) == 1
        with runtime.db.write() as session:
            delivery_list.replay(session, as_owner(session), endpoint.id, delivery_id)
        assert deliver(runtime) == 1
    view = look_at(runtime.db, endpoint, delivery_id)
    assert (view.delivery.state, len(view.attempts)) == (DeliveryState.DELIVERED, 3)
    assert len({one.headers["webhook-id"] for one in asked}) == 1


def test_a_receiver_that_says_gone_turns_its_webhook_off(runtime: FakeRuntime) -> None:
    with tiny_server(Answer(410)) as (url, _):
        endpoint = add_endpoint(runtime.db, url)
        add_event(runtime.db, endpoint)
        deliver(runtime)
        let_time_pass(runtime.db)
        assert deliver(runtime) == 0
    assert note_of(runtime.db, endpoint) == (False, "The receiver answered 410 Gone.")


def note_of(db: Database, endpoint: WebhookEndpoint) -> tuple[bool, str | None]:
    with db.read() as session:
        row = session.get_one(WebhookEndpoint, endpoint.id)
        return row.is_on, row.note


def test_days_of_failures_turn_a_webhook_off_and_one_good_answer_ends_them(runtime: FakeRuntime) -> None:
    with tiny_server(Answer(500), Answer(), Answer(500)) as (url, _):
        endpoint = add_endpoint(runtime.db, url)
        add_event(runtime.db, endpoint)
        for is_failing in (True, False, True):
            deliver(runtime)
            assert note_of(runtime.db, endpoint) == (True, None)
            with runtime.db.write() as session:
                row = session.get_one(WebhookEndpoint, endpoint.id)
                assert (row.failing_since is not None) is is_failing
                again = {"state": DeliveryState.PENDING, "ready_at": db_now()}
                session.execute(update(WebhookDelivery).values(again))
        with runtime.db.write() as session:
            session.execute(update(WebhookEndpoint).values(failing_since=db_now(-5 * 86_400)))
        deliver(runtime)
    assert note_of(runtime.db, endpoint) == (False, "Every attempt failed for 5 days.")


def test_an_old_secret_signs_for_one_more_day(runtime: FakeRuntime) -> None:
    with tiny_server(Answer()) as (url, asked):
        endpoint = add_endpoint(runtime.db, url)
        with runtime.db.write() as session:
            endpoints.rotate_secret(session, as_owner(session), endpoint.id, CIPHER)
        add_event(runtime.db, endpoint)
        deliver(runtime)
        verified(endpoint, asked[0])
        with runtime.db.write() as session:
            session.execute(update(WebhookEndpoint).values(previous_until=db_now(-1)))
        add_event(runtime.db, endpoint)
        deliver(runtime)
    assert [len(one.headers["webhook-signature"].split()) for one in asked] == [2, 1]


def test_an_address_that_is_no_longer_allowed_gets_nothing(runtime: FakeRuntime) -> None:
    with tiny_server(Answer()) as (url, asked):
        endpoint = add_endpoint(runtime.db, url)
        delivery_id = add_event(runtime.db, endpoint)
        runtime.settings = runtime.settings.model_copy(update={"webhook_hosts": ""})
        deliver(runtime)
    assert asked == []
    assert "inside the network" in (look_at(runtime.db, endpoint, delivery_id).attempts[0].error or "")


def test_lists_show_the_last_attempt_and_filter(runtime: FakeRuntime) -> None:
    with tiny_server(Answer(500), Answer()) as (url, _):
        endpoint = add_endpoint(runtime.db, url)
        failed, delivered = (add_event(runtime.db, endpoint) for _ in range(2))
        deliver(runtime)
        deliver(runtime)
    with runtime.db.write() as session:
        owner = as_owner(session)
        page = delivery_list.list_deliveries(session, owner, endpoint.id, DeliveryFilter())
        assert [one.delivery.id for one in page.items] == [delivered, failed]
        assert [one.last and one.last.status for one in page.items] == [200, 500]
        only = DeliveryFilter(DeliveryState.PENDING, "webhook.test")
        page = delivery_list.list_deliveries(session, owner, endpoint.id, only)
        assert [one.delivery.id for one in page.items] == [failed]


def test_old_deliveries_and_those_of_deleted_webhooks_are_deleted(runtime: FakeRuntime) -> None:
    with tiny_server(Answer()) as (url, _):
        kept, deleted = add_endpoint(runtime.db, url), add_endpoint(runtime.db, url)
        old, new = add_event(runtime.db, kept), add_event(runtime.db, kept)
        add_event(runtime.db, deleted)
        deliver(runtime)
    with runtime.db.write() as session:
        session.get_one(WebhookDelivery, old).occurred_at = datetime.now(UTC) - timedelta(days=31)
        endpoints.delete_endpoint(session, as_owner(session), deleted.id)
    reconcile.prune_webhook_deliveries(runtime)
    with runtime.db.read() as session:
        assert list(session.scalars(select(WebhookDelivery.id))) == [new]
        assert session.scalars(select(func.count()).select_from(WebhookAttempt)).one() == 0


def test_the_thread_of_the_worker_sends_what_is_due(runtime: FakeRuntime) -> None:
    with tiny_server(Answer()) as (url, asked):
        sender = webhooks.WebhookSender(runtime)
        sender.start()
        endpoint = add_endpoint(runtime.db, url)
        delivery_id = add_event(runtime.db, endpoint)
        until(lambda: look_at(runtime.db, endpoint, delivery_id).attempts)
        sender.stop()
    assert len(asked) == 1
