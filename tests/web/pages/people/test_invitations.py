"""Invitations and links for new passwords, from the page of people to the first login."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from core.accounts.rights import Role
from core.base.clock import db_now
from core.base.database import Database
from core.orm.accounts import Invitation, User
from core.orm.audit_log import AuditEntry
from tests.support.people import PASSWORD, add_person, hash_cheaply, link_in, log_in_as, send
from web.app import App

DATABASES = ("sqlite",)  # nothing here depends on the kind

NEW = "seven paper lanterns drift"


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    hash_cheaply(monkeypatch)


@pytest.fixture
def admin(app: App, db: Database) -> Iterator[FlaskClient]:
    """The browser of an admin."""
    add_person(db, "ada", Role.ADMIN)
    return log_in_as(app, "ada")


def count(db: Database, table: type) -> int:
    with db.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def invite(admin: FlaskClient, role: str = "viewer", recipient: str = "eve") -> str:
    return link_in(send(admin, "/people/invitations", "/people", role=role, recipient=recipient))


def test_an_invited_person_joins_once_with_the_role_of_the_invitation(app: App, admin: FlaskClient) -> None:
    link = invite(admin)
    guest = app.test_client()
    for _ in range(2):  # looking at it, as previews of links do, uses nothing up
        page = guest.get(link)
    assert "viewer" in page.text
    assert 'value="eve"' in page.text
    assert send(guest, link, name="Eve Smith", password=NEW).headers["Location"] == "/"
    assert "Eve Smith" in guest.get("/account").text
    assert guest.get("/people").status_code == 403
    assert "Eve Smith" in log_in_as(app, "Eve Smith", NEW).get("/account").text
    assert app.test_client().get(link).status_code == 410


@pytest.mark.parametrize(
    ("name", "password", "reason"),
    [("ADA", NEW, "is called"), ("e\u200bve", NEW, "invisible"), ("eve", "short", "at least 15 characters")],
)
def test_a_taken_name_or_a_bad_password_leaves_the_invitation_open(
    app: App, admin: FlaskClient, db: Database, name: str, password: str, reason: str
) -> None:
    link, n_people = invite(admin), count(db, User)
    answer = send(app.test_client(), link, name=name, password=password)
    assert answer.status_code == 422
    assert reason in answer.text
    assert count(db, User) == n_people
    assert app.test_client().get(link).status_code == 200


def test_a_link_ends_when_it_is_withdrawn_or_old(app: App, admin: FlaskClient, db: Database) -> None:
    withdrawn, old = invite(admin), invite(admin)
    assert send(admin, "/people/invitations/1/withdraw", "/people").status_code == 303
    with db.write() as session:
        session.execute(update(Invitation).where(Invitation.id == 2).values(expires_at=db_now(-1)))
    for link in (withdrawn, old, "/invitation?code=guessed", "/new-password?code=guessed"):
        assert app.test_client().get(link).status_code == 410
    assert "Open invitations" not in admin.get("/people").text


def test_a_lost_password_is_replaced_by_a_link_and_every_session_ends(
    app: App, admin: FlaskClient, db: Database
) -> None:
    eve = add_person(db, "eve")
    elsewhere = log_in_as(app, "eve")
    earlier, link = (link_in(send(admin, f"/people/{eve}/password-link", "/people")) for _ in range(2))
    guest = app.test_client()
    assert guest.get(earlier).status_code == 410
    assert guest.get(link.replace("new-password", "invitation")).status_code == 410
    answer = send(guest, link, password=NEW)
    assert "All other devices are logged out" in guest.get(answer.headers["Location"]).text
    assert elsewhere.get("/account").status_code == 303
    assert send(app.test_client(), "/login/password", "/login", name="eve", password=PASSWORD).status_code == 401
    log_in_as(app, "eve", NEW)
    assert app.test_client().get(link).status_code == 410
    with db.read() as session:
        actions = list(session.scalars(select(AuditEntry.action).where(AuditEntry.action.like("password%"))))
    assert actions == ["password-link.create", "password-link.create", "password.change"]
