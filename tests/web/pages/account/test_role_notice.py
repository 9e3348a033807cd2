"""The notice about a person's role."""

from flask.testing import FlaskClient

from core.accounts import people
from core.accounts.rights import Role
from core.base.database import Database
from tests.support.actors import as_owner, make_token
from tests.support.login import csrf_in, log_in
from web.app import App

DATABASES = ("sqlite",)  # nothing here depends on the kind


def test_it_is_shown_until_it_is_dismissed(app: App, db: Database) -> None:
    token = make_token(db, "ada")
    with db.write() as session:
        people.set_role(session, as_owner(session), "ada", Role.VIEWER)
    ada = app.test_client()
    log_in(ada, token)
    page = ada.get("/").text
    assert "Your role on this server is now <strong>viewer</strong>" in page
    ada.post("/account/role-notice", data={"csrf_token": csrf_in(page)})
    assert "Your role on this server" not in ada.get("/").text


def test_without_a_change_there_is_none(browser: FlaskClient) -> None:
    assert "Your role on this server" not in browser.get("/").text
