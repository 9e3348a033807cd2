"""Who is let in: bearer tokens, sessions, CSRF."""

from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from markupsafe import escape

from tests.support.login import csrf_in, log_in, send_login
from web.app import App

DATABASES = ("sqlite",)  # nothing here depends on the kind

JOBS = "/api/v1/jobs"


def csrf_of(client: FlaskClient) -> str:
    """The token that a page of this session carries."""
    return csrf_in(client.get("/").text)


def test_no_token_is_401_and_says_how_to_get_one(stranger: FlaskClient) -> None:
    answer = stranger.get(JOBS)
    assert answer.status_code == 401
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert "pawsort token create" in answer.text


@pytest.mark.parametrize("sent", ["Bearer wrong", "Bearer ", "Basic b3duZXI6eA=="])
def test_a_wrong_token_is_401(stranger: FlaskClient, sent: str) -> None:
    assert stranger.get(JOBS, headers={"Authorization": sent}).status_code == 401


def test_a_wrong_token_is_not_saved_by_a_session(browser: FlaskClient) -> None:
    assert browser.get(JOBS, headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_a_page_without_login_leads_to_the_login_page_and_back(stranger: FlaskClient, token: str) -> None:
    answer = stranger.get("/help")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/login?next=/help"
    assert "Token" in stranger.get(answer.headers["Location"]).text
    logged_in = send_login(stranger, token=token, next="/help")
    assert logged_in.headers["Location"] == "/help"
    assert stranger.get("/help").status_code == 200


def test_the_login_page_leads_back_to_all_that_was_chosen(stranger: FlaskClient) -> None:
    job = f"/jobs/{uuid4()}?label=cat&path=a%26b"
    form = stranger.get(stranger.get(job).headers["Location"]).text
    assert f'name="next" value="{escape(job)}"' in form


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "javascript:x()",
        "/\t/evil.example",
        "/\n/evil.example",
    ],
)
def test_the_login_never_leads_to_another_site(stranger: FlaskClient, token: str, target: str) -> None:
    answer = send_login(stranger, token=token, next=target)
    assert answer.headers["Location"] == "/"


@pytest.mark.parametrize("sent", [{}, {"X-CSRF-Token": "wrong"}])
def test_a_session_without_the_right_csrf_token_is_403(browser: FlaskClient, sent: dict[str, str]) -> None:
    answer = browser.put(f"/api/v1/uploads/{uuid4()}", json={}, headers=sent)
    assert answer.status_code == 403
    assert answer.mimetype == "application/problem+json"
    assert "X-CSRF-Token" in answer.text


def test_another_sessions_csrf_token_is_403(browser: FlaskClient, app: App, token: str) -> None:
    other = app.test_client()
    log_in(other, token)
    sent = {"X-CSRF-Token": csrf_of(other)}
    csrf_of(browser)
    assert browser.put(f"/api/v1/uploads/{uuid4()}", json={}, headers=sent).status_code == 403


def test_a_session_with_its_csrf_token_may_write(browser: FlaskClient) -> None:
    sent = {"X-CSRF-Token": csrf_of(browser)}
    assert browser.put(f"/api/v1/uploads/{uuid4()}", json={}, headers=sent).status_code == 201


def test_a_bearer_needs_no_csrf_token(client: FlaskClient) -> None:
    assert client.put(f"/api/v1/uploads/{uuid4()}", json={}).status_code == 201


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/openapi.json", "/docs", "/login"])
def test_what_is_public_needs_no_login(stranger: FlaskClient, path: str) -> None:
    assert stranger.get(path).status_code == 200
