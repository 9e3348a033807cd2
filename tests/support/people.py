"""People with passwords and browsers, for tests of pages that need more than the owner."""

import re
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from core.accounts import accounts
from core.accounts.passwords import hashing, passwords
from core.accounts.rights import Role
from core.accounts.sessions import LIMITS
from core.base.database import Database
from core.orm.accounts import LoginSession
from tests.support.login import csrf_in
from web.app import App

PASSWORD = "correct horse battery staple"
LINK = re.compile(r'id="link" value="http://localhost([^"]+)"')


def hash_cheaply(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash with the least of memory: a real hash takes a tenth of a second."""
    cheap = PasswordHasher(1, 8, 1)
    monkeypatch.setattr(hashing, "_hasher", cheap)
    monkeypatch.setattr(hashing, "_HASH_OF_NOTHING", cheap.hash("nothing"))


def add_person(db: Database, name: str, role: Role = Role.MEMBER, password: str = PASSWORD) -> int:
    """Add a person who logs in with a password."""
    encoded = hashing.hash_password(password.encode())
    with db.write() as session:
        user = accounts.get_or_create_user(session, name)
        user.role = role
        passwords.keep_password(session, user.id, encoded)
        return user.id


def send(client: FlaskClient, path: str, page: str | None = None, **fields: str) -> TestResponse:
    """Send a form as the page at `page` would, which is at the same address if not given."""
    csrf = csrf_in(client.get(page or path).text)
    return client.post(path, data={"csrf_token": csrf, **fields})


def log_in_as(app: App, name: str, password: str = PASSWORD) -> FlaskClient:
    """A browser in which a person has logged in with a password."""
    client = app.test_client()
    answer = send(client, "/login/password", "/login", name=name, password=password)
    assert answer.status_code == 303, answer.text
    return client


def grow_old(db: Database) -> None:
    """As if everybody had logged in long ago, and still used the browser."""
    with db.write() as session:
        for opened in session.scalars(select(LoginSession)):
            opened.created_at -= timedelta(hours=1)
            opened.idle_s = LIMITS.idle_s


def link_in(answer: TestResponse) -> str:
    """The path of the link that a page shows once."""
    found = LINK.search(answer.text)
    assert found is not None, answer.text
    return found[1].replace("&amp;", "&")
