"""The page of people for admins, and the same by the API."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from core.accounts.rights import Role
from core.base.database import Database
from core.orm.audit_log import AuditEntry
from core.uploads import usage
from core.uploads.usage import UNLIMITED
from tests.support.people import add_person, hash_cheaply, log_in_as, send
from web.app import App

DATABASES = ("sqlite",)  # nothing here depends on the kind


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    hash_cheaply(monkeypatch)


def test_an_admin_changes_roles_and_disables_and_enables(app: App, db: Database) -> None:
    add_person(db, "ada", Role.ADMIN)
    eve = add_person(db, "eve")
    admin, member = log_in_as(app, "ada"), log_in_as(app, "eve")
    assert member.get("/people").status_code == 403
    assert "never" not in admin.get("/people").text, "both were seen"
    send(admin, f"/people/{eve}/role", "/people", role="admin")
    assert log_in_as(app, "eve").get("/people").status_code == 200
    assert "all tokens are revoked" in admin.get(f"/people/{eve}/disable").text
    send(admin, f"/people/{eve}/disable")
    refused = send(app.test_client(), "/login/password", "/login", name="eve", password="correct horse battery staple")
    assert refused.status_code == 401
    assert send(admin, f"/people/{eve}/password-link", "/people").status_code == 409
    send(admin, f"/people/{eve}/enable", "/people")
    log_in_as(app, "eve")


def test_the_owner_stays_an_admin(app: App, db: Database, client: FlaskClient) -> None:
    add_person(db, "ada", Role.ADMIN)
    admin = log_in_as(app, "ada")
    owner = next(one["id"] for one in client.get("/api/v1/people").json["items"] if one["is_owner"])
    for path, fields in ((f"/people/{owner}/role", {"role": "viewer"}), (f"/people/{owner}/disable", {})):
        answer = send(admin, path, "/people", **fields)
        assert answer.status_code == 409
        assert "stays an admin" in answer.text
    assert client.patch(f"/api/v1/people/{owner}", json={"is_disabled": True}).status_code == 409


def test_the_api_does_what_the_page_does(client: FlaskClient, db: Database) -> None:
    eve = f"/api/v1/people/{add_person(db, 'eve')}"
    assert client.patch(eve, json={"role": "viewer"}).json["role"] == "viewer"
    assert client.patch(eve, json={"is_disabled": True}).json["is_disabled"]
    assert client.post(f"{eve}/password-link").status_code == 409
    assert not client.patch(eve, json={"is_disabled": False}).json["is_disabled"]
    assert client.get(eve).json["ways_in"] == ["password"]
    assert "/new-password?code=" in client.post(f"{eve}/password-link").json["link"]
    made = client.post("/api/v1/invitations", json={"role": "member", "recipient": "bob@example.org"})
    assert "/invitation?code=" in made.json["link"]
    assert [one["email"] for one in client.get("/api/v1/invitations").json["items"]] == ["bob@example.org"]
    assert "link" not in client.get("/api/v1/invitations").json["items"][0]
    assert client.delete(f"/api/v1/invitations/{made.json['id']}").status_code == 204
    assert client.delete(f"/api/v1/invitations/{made.json['id']}").status_code == 404
    assert client.get("/api/v1/people/999").status_code == 404
    assert client.post("/api/v1/invitations", json={"role": "king"}).status_code == 422
    assert client.post("/api/v1/invitations", json={"role": "member", "recipient": "Eve"}).status_code == 409


def test_an_admin_sees_usage_and_gives_a_quota_on_the_page(app: App, db: Database) -> None:
    add_person(db, "ada", Role.ADMIN)
    eve = add_person(db, "eve")
    with db.write() as session:
        usage.add(session, eve, 1_500_000_000, 2)
    admin, member = log_in_as(app, "ada"), log_in_as(app, "eve")
    assert "Uses 1.5 GB (no limit) and 2 pictures (no limit)" in admin.get("/people").text
    assert send(admin, f"/people/{eve}/quota", "/people", gigabytes="2.5", images="1,000").status_code == 303
    page = admin.get("/people").text
    assert "Uses 1.5 GB of 2.5 GB and 2 pictures of 1,000" in page
    assert 'value="2.5"' in page
    assert "1,000" in member.get("/account").text
    for wrong in ("many", "-1", "1e9", "9" * 20, "\x00"):
        answer = send(admin, f"/people/{eve}/quota", "/people", gigabytes=wrong)
        assert (answer.status_code, "Gigabytes: expected a number" in answer.text) == (409, True), wrong
    assert send(admin, f"/people/{eve}/quota", "/people", gigabytes="none", images="").status_code == 303
    assert 'value="none"' in admin.get("/people").text
    assert send(member, f"/people/{eve}/quota", "/account", gigabytes="9").status_code == 403
    with db.read() as session:
        details = list(session.scalars(select(AuditEntry.details).where(AuditEntry.action == "setting.change")))
    assert details == [{"n_bytes": 2_500_000_000, "n_images": 1000}, {"n_bytes": UNLIMITED}]


def test_the_api_shows_usage_and_gives_a_quota(client: FlaskClient, db: Database) -> None:
    eve = f"/api/v1/people/{add_person(db, 'eve')}"
    unlimited = {"n_bytes": 0, "n_images": 0, "max_bytes": None, "max_images": None}
    assert client.get(eve).json["usage"] == unlimited
    limited = client.patch(eve, json={"quota": {"max_bytes": 10**10, "max_images": 0}}).json["usage"]
    assert limited == unlimited | {"max_bytes": 10**10, "max_images": 0}
    listed = {one["name"]: one["usage"] for one in client.get("/api/v1/people").json["items"]}
    assert listed["eve"] == limited
    assert client.patch(eve, json={"quota": {"max_bytes": "none"}}).json["usage"] == unlimited
    for wrong in ({"max_bytes": -1}, {"max_images": 10**30}, {"max_bytes": "many"}, {"bytes": 1}):
        assert client.patch(eve, json={"quota": wrong}).status_code == 422, wrong
