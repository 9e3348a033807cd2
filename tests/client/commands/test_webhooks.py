"""`pawsort webhooks` against the real application."""

import json

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import update

from core.base.database import Database
from core.base.states import DeliveryState
from core.orm.webhooks import WebhookDelivery
from core.webhooks import endpoints
from core.webhooks.endpoints import NewEndpoint
from core.webhooks.targets import Allowlist
from pawsort.cli import cli
from tests.support.actors import as_owner
from tests.support.secrets import CIPHER

DATABASES = ("sqlite",)


@pytest.fixture
def webhook(db: Database) -> str:
    with db.write() as session:
        new = NewEndpoint("archive", "https://example.org/")
        return str(endpoints.create_endpoint(session, as_owner(session), new, Allowlist(), CIPHER).endpoint.id)


def run(address: str, token: str, *words: str) -> Result:
    return CliRunner(env={"PAWSORT_TOKEN": token}).invoke(cli, ["webhooks", *words, "--server", address])


def test_there_are_none_at_first(address: str, token: str) -> None:
    assert run(address, token).output.startswith("There are no webhooks yet.")


def test_one_for_all_events_is_of_everybody(address: str, token: str, db: Database) -> None:
    with db.write() as session:
        new = NewEndpoint("archive", "https://example.org/", is_for_everybody=True)
        endpoints.create_endpoint(session, as_owner(session), new, Allowlist(), CIPHER)
    assert run(address, token).output.split()[-2:] == ["everybody", "on"]


def test_what_was_sent_is_listed_and_sent_again(address: str, token: str, db: Database, webhook: str) -> None:
    (line,) = run(address, token).output.splitlines()[1:]
    assert line.split() == [webhook, "archive", "https://example.org/", "owner", "on"]
    assert "Nothing was sent" in run(address, token, "deliveries", webhook).output
    assert "on its way" in run(address, token, "test", webhook).output
    with db.write() as session:
        session.execute(update(WebhookDelivery).values(state=DeliveryState.FAILED))
    (listed,) = json.loads(run(address, token, "deliveries", webhook, "--state", "failed", "--json").stdout)
    assert listed["event"] == "webhook.test"
    assert "1 delivery is sent again." in run(address, token, "replay", webhook).output
    assert "is sent again" in run(address, token, "replay", webhook, "--delivery", str(listed["id"])).output
    assert "pending" in run(address, token, "deliveries", webhook).output
