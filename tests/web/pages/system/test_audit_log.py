"""The audit log on its page, over the API and as files: for admins alone, hostile values as text, all of it."""

import csv
import io
import json

import pytest
from flask.testing import FlaskClient

from core.accounts import accounts, tokens
from core.accounts.audit_log import Action, record
from core.accounts.rights import Actor
from core.base.database import Database
from web.app import App
from web.pages.system import audit_log
from web.pages.system.audit_log import WORDS

HOSTILE = "<b>=1+1</b>"


@pytest.fixture
def _entries(app: App, db: Database) -> None:
    ada = Actor(7, "ada", frozenset(), "session", 3, "10.0.0.1")
    with db.write() as session:
        record(session, ada, Action.JOB_DELETE, "job", "0a1b", name=HOSTILE)
        record(session, None, Action.AUDIT_LOG_PRUNE, n_entries=2)
        record(session, ada, Action.LOGIN)


def test_every_action_has_words() -> None:
    assert WORDS.keys() == set(Action)


@pytest.mark.usefixtures("_entries")
def test_the_page_shows_who_what_and_where_from_as_text_and_filters(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = client.get("/audit-log").text
    for words in ("ada", "Pawsort", "Deleted a job", "0a1b", "10.0.0.1", "&lt;b&gt;=1+1&lt;/b&gt;", "n entries: 2"):
        assert words in shown
    assert HOSTILE not in shown
    assert "0a1b" not in client.get("/audit-log?action=login").text
    assert "n entries: 2" not in client.get("/audit-log?user=ada").text
    assert "No entries match" in client.get("/audit-log?until=2000-01-01").text
    monkeypatch.setattr(audit_log, "SHOWN", 2)
    first = client.get("/audit-log?user=ada&action=job.delete").text
    assert "0a1b" in first
    page = client.get("/audit-log").text
    older = page.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert "0a1b" in client.get(older).text


@pytest.mark.usefixtures("_entries")
def test_the_api_has_pages_and_filters(client: FlaskClient) -> None:
    first = client.get("/api/v1/audit-log?limit=2").json
    second = client.get(f"/api/v1/audit-log?limit=2&cursor={first['next']}").json
    assert [one["action"] for one in first["items"] + second["items"]] == ["login", "audit-log.prune", "job.delete"]
    assert second["next"] is None
    (deleted,) = client.get("/api/v1/audit-log?action=job.delete&user=ada&since=2020-01-01T00:00:00Z").json["items"]
    assert (deleted["user"], deleted["via"], deleted["address"]) == ("ada", "session", "10.0.0.1")
    assert deleted["details"] == {"name": HOSTILE}
    assert client.get("/api/v1/audit-log?action=nothing").status_code == 422
    assert client.get("/api/v1/audit-log?cursor=x").status_code == 422


@pytest.mark.usefixtures("_entries")
def test_the_files_have_every_entry_and_taking_them_is_recorded(client: FlaskClient) -> None:
    table = client.get("/api/v1/audit-log.csv?user=ada")
    rows = list(csv.DictReader(io.StringIO(table.data.decode("utf-8-sig"), newline="")))
    assert [row["action"] for row in rows] == ["login", "job.delete"]
    assert rows[1]["details"] == json.dumps({"name": HOSTILE})
    lines = [json.loads(line) for line in client.get("/api/v1/audit-log.jsonl").data.splitlines()]
    actions = [line["action"] for line in lines]
    assert actions == ["export", "export", "login", "audit-log.prune", "job.delete"]
    assert lines[0]["details"] == {"format": "jsonl"}


@pytest.mark.parametrize(
    "address", ["/audit-log", "/api/v1/audit-log", "/api/v1/audit-log.csv", "/api/v1/audit-log.jsonl"]
)
def test_it_is_for_admins_alone(app: App, stranger: FlaskClient, db: Database, address: str) -> None:
    with db.write() as session:
        token = tokens.create_token(session, "hers", accounts.get_or_create_user(session, "ada"))
    assert app.test_client().get(address, headers={"Authorization": f"Bearer {token}"}).status_code == 403
    assert stranger.get(address).status_code in (303, 401)
