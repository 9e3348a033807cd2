"""Sessions by the API."""

import pytest
from flask.testing import FlaskClient

from core.accounts.rights import Role
from core.base.database import Database
from tests.support.login import csrf_in
from tests.support.people import add_person, hash_cheaply, log_in_as
from web.app import App

DATABASES = ("sqlite",)  # nothing here depends on the kind

SESSIONS = "/api/v1/sessions"


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    hash_cheaply(monkeypatch)


def list_items(client: FlaskClient) -> list[dict[str, object]]:
    answer = client.get(SESSIONS)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, object]] = answer.json["items"]
    return items


def test_one_browser_logs_out_another_and_then_all_others(app: App, db: Database) -> None:
    add_person(db, "ada", Role.MEMBER)
    here, there, elsewhere = (log_in_as(app, "ada") for _ in range(3))
    csrf = {"X-CSRF-Token": csrf_in(here.get("/account").text)}
    newest, middle, oldest = list_items(here)
    assert [one["is_current"] for one in (newest, middle, oldest)] == [False, False, True]
    assert oldest["agent"].startswith("Werkzeug")  # type: ignore[attr-defined]
    assert here.delete(f"{SESSIONS}/{middle['id']}", headers=csrf).status_code == 204
    assert there.get(SESSIONS).status_code == 401
    assert [one["id"] for one in list_items(elsewhere)] == [newest["id"], oldest["id"]]
    assert here.delete(SESSIONS, headers=csrf).status_code == 204
    assert elsewhere.get(SESSIONS).status_code == 401
    assert [one["id"] for one in list_items(here)] == [oldest["id"]]


def test_nobody_ends_the_session_of_somebody_else_and_a_token_ends_all_of_its_person(
    app: App, db: Database, client: FlaskClient, browser: FlaskClient
) -> None:
    add_person(db, "ada")
    ada = log_in_as(app, "ada")
    (of_ada,) = list_items(ada)
    assert client.delete(f"{SESSIONS}/{of_ada['id']}").status_code == 404
    assert client.delete(SESSIONS).status_code == 204
    assert browser.get(SESSIONS).status_code == 401
    assert list_items(client) == []
    assert list_items(ada) == [of_ada]
