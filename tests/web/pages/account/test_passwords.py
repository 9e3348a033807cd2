"""Logging in with a password, and changing it."""

import pytest
from sqlalchemy import select

from core.accounts import accounts, tokens
from core.accounts.limits import BY_NAME_AND_ADDRESS
from core.accounts.passwords import hashing
from core.accounts.rights import Right
from core.base.database import Database
from core.orm.accounts import Password
from core.orm.audit_log import AuditEntry
from tests.support.login import log_in
from tests.support.people import PASSWORD, add_person, grow_old, hash_cheaply, log_in_as, send
from web.app import App

DATABASES = ("sqlite",)  # nothing here depends on the kind

NEW = "seven paper lanterns drift"


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    hash_cheaply(monkeypatch)


def test_every_wrong_login_gets_the_same_answer_after_the_same_work_and_is_on_record(
    app: App, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_person(db, "ada")
    with db.write() as session:
        accounts.get_or_create_user(session, "bob")  # has no password
    asked: list[str | None] = []
    verify = hashing.is_password
    monkeypatch.setattr(
        "core.accounts.passwords.passwords.is_password",
        lambda given, encoded: asked.append(encoded) or verify(given, encoded),
    )
    answers = [
        send(app.test_client(), "/login/password", "/login", name=name, password=password)
        for name, password in (("ada", NEW), ("bob", PASSWORD), ("nobody", PASSWORD))
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert all("Name or password is wrong" in answer.text for answer in answers)
    assert len(asked) == 3
    with db.read() as session:
        entries = list(session.scalars(select(AuditEntry).where(AuditEntry.outcome == "refused")))
    assert [entry.details["name"] for entry in entries] == ["ada", "bob", "nobody"]
    assert not any(PASSWORD in str(entry.details) or NEW in str(entry.details) for entry in entries)


def test_changing_the_password_needs_the_current_one_and_logs_out_all_others(app: App, db: Database) -> None:
    add_person(db, "ada")
    here, there = log_in_as(app, "ada"), log_in_as(app, "ada")
    assert "The current password is wrong" in send(here, "/account/password", current=NEW, password=NEW).text
    assert "at least 15" in send(here, "/account/password", current=PASSWORD, password="short").text
    answer = send(here, "/account/password", current=PASSWORD, password=NEW)
    assert "logged out everywhere else" in here.get(answer.headers["Location"]).text
    assert there.get("/account").status_code == 303
    log_in_as(app, "ada", NEW)


def test_wrong_current_passwords_are_on_record_and_end_as_wrong_logins_do(app: App, db: Database) -> None:
    add_person(db, "ada")
    browser = log_in_as(app, "ada")
    sent = [send(browser, "/account/password", current=NEW, password=NEW) for _ in range(BY_NAME_AND_ADDRESS.free + 1)]
    assert [answer.status_code for answer in sent] == [422] * BY_NAME_AND_ADDRESS.free + [429]
    with db.read() as session:
        refused = list(session.scalars(select(AuditEntry).where(AuditEntry.outcome == "refused")))
    assert [(one.user_name, one.action) for one in refused] == [("ada", "password.change")] * BY_NAME_AND_ADDRESS.free


def test_a_first_password_and_ending_sessions_need_a_recent_login(app: App, db: Database) -> None:
    """Somebody at an open browser adds no way in, and locks nobody out; logging in again is enough."""
    with db.write() as session:
        token = tokens.create_token(session, "whole", accounts.get_or_create_user(session, "ada"))
    browser, other = app.test_client(), app.test_client()
    for client in (browser, other):
        log_in(client, token)
    grow_old(db)
    page = browser.get("/account").text
    assert page.count("log in again") == 3
    assert "Set a password" not in page
    assert "Log out everywhere else" not in page
    assert send(browser, "/account/password", password=NEW).status_code == 403
    assert send(browser, "/account/sessions/end-others", "/account").status_code == 403
    assert other.get("/account").status_code == 200
    log_in(browser, token)
    assert send(browser, "/account/sessions/end-others", "/account").status_code == 303
    assert other.get("/account").status_code == 303
    assert send(browser, "/account/password", password=NEW).status_code == 303


def test_a_token_cannot_become_a_password(app: App, db: Database) -> None:
    with db.write() as session:
        user = accounts.get_or_create_user(session, "ada")
        limited = tokens.create_token(session, "limited", user, scopes=frozenset((Right.SEE,)))
        whole = tokens.create_token(session, "whole", user)
    browser = app.test_client()
    log_in(browser, limited)
    assert browser.get("/account/password").status_code == 409
    headers = {"Authorization": f"Bearer {whole}"}
    assert app.test_client().post("/account/password", data={"password": NEW}, headers=headers).status_code == 409
    with db.read() as session:
        assert session.scalars(select(Password)).all() == []


def test_a_hash_of_other_parameters_is_replaced_at_the_next_login(
    app: App, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_person(db, "ada")
    monkeypatch.setattr(hashing, "_hasher", hashing.PasswordHasher(2, 16, 1))
    log_in_as(app, "ada")
    with db.read() as session:
        assert "m=16,t=2" in session.scalars(select(Password.encoded)).one()
    log_in_as(app, "ada")
