"""Webhooks over HTTP."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from core.base.database import Database
from core.base.states import DeliveryState
from core.orm.webhooks import WebhookDelivery
from tests.support.actors import make_token
from web.app import App

DATABASES = ("sqlite",)  # nothing here depends on the kind

WEBHOOKS = "/api/v1/webhooks"
URL = "https://example.org/hook"


@pytest.fixture
def ada(app: App, db: Database) -> FlaskClient:
    """A member."""
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {make_token(db, 'ada')}"
    return client


def ask(client: FlaskClient, method: str, path: str, status: int = 200, **fields: Any) -> Any:
    answer = client.open(f"{WEBHOOKS}{path}", method=method, json=fields or None)
    assert answer.status_code == status, answer.text
    return answer.json if answer.data else None


def add(client: FlaskClient, **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = ask(client, "POST", "", 201, **{"name": "archive", "url": URL, **fields})
    return made


def test_a_webhook_is_made_listed_changed_and_deleted_and_shows_its_secret_once(ada: FlaskClient) -> None:
    made = add(ada, events=["job.done"])
    assert made.pop("secret").startswith("whsec_")
    assert (made["scope"], made["user"], made["is_on"]) == ("own", "ada", True)
    one = f"/{made['id']}"
    assert ask(ada, "GET", one) == ask(ada, "GET", "")["items"][0] == made
    changed = ask(ada, "PATCH", one, name="chat", is_on=False)
    assert (changed["name"], changed["is_on"], changed["events"]) == ("chat", False, ["job.done"])
    assert ask(ada, "PATCH", one, events=[])["events"] == []
    ask(ada, "DELETE", one, 204)
    ask(ada, "GET", one, 410)
    assert ask(ada, "GET", "")["items"] == []


def test_a_new_secret_is_shown_once(ada: FlaskClient) -> None:
    made = add(ada)
    rotated = ask(ada, "POST", f"/{made['id']}/rotate")
    assert rotated["secret"].startswith("whsec_")
    assert rotated["secret"] != made["secret"]


def test_addresses_inside_the_network_and_unknown_events_are_refused(ada: FlaskClient) -> None:
    for url in ("http://example.org/", "https://127.0.0.1/", "https://[::ffff:10.0.0.1]/", "https://a:b@example.org/"):
        assert ask(ada, "POST", "", 422, name="a", url=url)["detail"].startswith("url: ")
    ask(ada, "POST", "", 422, name="a", url=URL, events=["job.finished"])
    ask(ada, "POST", "", 422, name="a", url=URL, events=["webhook.test"])
    ask(ada, "PATCH", f"/{add(ada)['id']}", 422, url="https://127.0.0.1/")


def test_only_admins_add_webhooks_for_everybody_and_see_those_of_others(ada: FlaskClient, client: FlaskClient) -> None:
    ask(ada, "POST", "", 403, name="a", url=URL, scope="everybody")
    hers, everybodys = add(ada), add(client, scope="everybody")
    assert (everybodys["scope"], everybodys["user"], everybodys["note"]) == ("everybody", "owner", None)
    assert [one["id"] for one in ask(client, "GET", "")["items"]] == [everybodys["id"], hers["id"]]
    for path in ("", "/deliveries"):
        ask(ada, "GET", f"/{everybodys['id']}{path}", 403)
        ask(client, "GET", f"/{hers['id']}{path}")


def test_a_test_event_is_listed_shown_with_its_message_and_replayed(ada: FlaskClient, db: Database) -> None:
    one = f"/{add(ada)['id']}"
    queued = ask(ada, "POST", f"{one}/test", 202)
    assert (queued["event"], queued["state"], queued["last_attempt"]) == ("webhook.test", "pending", None)
    assert ask(ada, "GET", f"{one}/deliveries")["items"] == [queued]
    assert ask(ada, "GET", f"{one}/deliveries?state=failed")["items"] == []
    assert ask(ada, "GET", f"{one}/deliveries?event=webhook.test")["items"] == [queued]
    shown = ask(ada, "GET", f"{one}/deliveries/{queued['id']}")
    assert (shown["attempts"], shown["message"]["type"]) == ([], "webhook.test")
    with db.write() as session:
        session.execute(update(WebhookDelivery).values(state=DeliveryState.FAILED))
    assert ask(ada, "GET", f"{one}/deliveries/{queued['id']}")["next_attempt_at"] is None
    again = ask(ada, "POST", f"{one}/deliveries/{queued['id']}/replay", 202)
    assert (again["state"], again["message_id"]) == ("pending", queued["message_id"])
    assert ask(ada, "POST", f"{one}/replay", 202) == {"replayed": 1}
    ask(ada, "POST", f"{one}/deliveries/999/replay", 404)


def test_a_webhook_that_is_off_sends_no_test_and_replays_nothing(ada: FlaskClient) -> None:
    one = f"/{add(ada)['id']}"
    delivery = ask(ada, "POST", f"{one}/test", 202)["id"]
    ask(ada, "PATCH", one, is_on=False)
    for path in ("/test", "/replay", f"/deliveries/{delivery}/replay"):
        assert "Turn it on" in ask(ada, "POST", f"{one}{path}", 409)["detail"]
