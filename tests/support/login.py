"""Logging in as the form of the login page does, for tests that do not care how people come in."""

import re

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

META = re.compile(r'name="csrf-token" content="([^"]+)"')


def csrf_in(page: str) -> str:
    """The CSRF token that a page carries."""
    found = META.search(page)
    assert found is not None, page[:500]
    return found[1]


def send_login(client: FlaskClient, base_url: str = "http://localhost", **fields: str) -> TestResponse:
    """Open the login page, and send its form with these fields."""
    csrf = csrf_in(client.get("/login", base_url=base_url).text)
    headers = {"Referer": f"{base_url}/login"}  # needed over HTTPS
    return client.post("/login", base_url=base_url, data={"csrf_token": csrf, **fields}, headers=headers)


def log_in(client: FlaskClient, token: str) -> None:
    """Open a session with a token."""
    answer = send_login(client, token=token)
    assert answer.status_code == 303, answer.text
