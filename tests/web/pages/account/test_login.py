"""Coming in by a one-time code or a token, the cookie, and going out."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from core.accounts import accounts, login_codes
from core.base.database import Database
from core.orm.accounts import LoginCode, LoginSession
from tests.support.login import csrf_in, log_in, send_login
from web.app import App

DATABASES = ("sqlite",)  # tests/core/accounts has both

JOBS = "/api/v1/jobs"
HTTPS = "https://localhost"


@pytest.fixture
def code(app: App, db: Database) -> str:
    """A code of the owner."""
    with db.write() as session:
        return login_codes.create_login_code(session, accounts.get_or_create_owner(session))


def test_the_link_shows_a_button_and_logs_in_only_when_it_is_pressed(stranger: FlaskClient, code: str) -> None:
    for _ in range(2):  # previews of links follow them too
        page = stranger.get(f"/login?code={code}&next=/help")
        assert "Log in as <bdi>owner</bdi>" in page.text
        assert stranger.get(JOBS).status_code == 401
    answer = send_login(stranger, code=code, next="/help")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/help")
    assert stranger.get(JOBS).status_code == 200


def test_a_code_works_once(app: App, stranger: FlaskClient, code: str) -> None:
    assert send_login(stranger, code=code).status_code == 303
    assert stranger.get(f"/login?code={code}").headers["Location"] == "/", "who is in already gets on"
    other = app.test_client()
    refused = send_login(other, code=code)
    assert refused.status_code == 401
    assert "pawsort login" in refused.text
    assert other.get(f"/login?code={code}").status_code == 401


def test_a_code_works_for_ten_minutes(stranger: FlaskClient, db: Database, code: str) -> None:
    with db.write() as session:
        stored = session.scalars(select(LoginCode)).one()
        assert stored.digest != code.encode(), "only its digest is stored"
        stored.expires_at -= timedelta(minutes=10)
    assert send_login(stranger, code=code).status_code == 401
    assert stranger.get(JOBS).status_code == 401


def test_a_token_in_the_address_logs_nobody_in(stranger: FlaskClient, token: str) -> None:
    assert stranger.get(f"/login?token={token}").status_code == 200
    assert stranger.get(JOBS).status_code == 401


def test_a_wrong_token_is_401_and_opens_nothing(stranger: FlaskClient) -> None:
    answer = send_login(stranger, token="wrong")
    assert answer.status_code == 401
    assert "pawsort token create" in answer.text
    assert stranger.get(JOBS).status_code == 401


def test_another_site_cannot_log_a_browser_in(stranger: FlaskClient, token: str) -> None:
    assert stranger.post("/login", data={"token": token}).status_code == 403
    assert stranger.get(JOBS).status_code == 401


def test_the_cookie_is_kept_from_scripts_and_holds_no_token(stranger: FlaskClient, token: str) -> None:
    cookie = send_login(stranger, token=token).headers["Set-Cookie"]
    assert cookie.startswith("pawsort_8000=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie
    assert token not in cookie


def test_the_cookie_over_https_is_bound_to_this_host(stranger: FlaskClient, token: str) -> None:
    cookie = send_login(stranger, HTTPS, token=token).headers["Set-Cookie"]
    assert cookie.startswith("__Host-pawsort_8000=")
    assert {"Secure", "HttpOnly", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert stranger.get(JOBS, base_url=HTTPS).status_code == 200


def test_a_cookie_that_was_copied_is_worth_nothing_after_logging_out(app: App, browser: FlaskClient) -> None:
    cookie = browser.get_cookie("pawsort_8000")
    assert cookie is not None
    thief = app.test_client()
    thief.set_cookie("pawsort_8000", cookie.value)
    assert thief.get(JOBS).status_code == 200
    answer = browser.post("/logout", data={"csrf_token": csrf_in(browser.get("/").text)})
    assert answer.headers["Location"] == "/login"
    assert answer.headers["Clear-Site-Data"] == '"cache"'
    assert browser.get(JOBS).status_code == 401
    assert thief.get(JOBS).status_code == 401


def test_logging_in_again_ends_the_session_before(app: App, browser: FlaskClient, token: str) -> None:
    cookie = browser.get_cookie("pawsort_8000")
    assert cookie is not None
    log_in(browser, token)
    assert browser.get(JOBS).status_code == 200
    browser.set_cookie("pawsort_8000", cookie.value)
    assert browser.get(JOBS).status_code == 401


def test_a_forged_cookie_is_401(stranger: FlaskClient) -> None:
    stranger.set_cookie("pawsort_8000", "eyJrZXkiOiJ4In0.aaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbb")
    assert stranger.get(JOBS).status_code == 401


def test_address_and_browser_of_a_session_are_noted(app: App, stranger: FlaskClient, db: Database, token: str) -> None:
    stranger.environ_base["HTTP_USER_AGENT"] = "Firefox"
    stranger.environ_base["HTTP_X_FORWARDED_FOR"] = "1.2.3.4"  # of a stranger, not of a proxy
    log_in(stranger, token)
    with db.read() as session:
        opened = session.scalars(select(LoginSession)).one()
    assert (opened.address, opened.agent) == ("127.0.0.1", "Firefox")


def test_attempts_end_and_the_page_says_when_to_try_again(stranger: FlaskClient, token: str) -> None:
    elsewhere = {"REMOTE_ADDR": "192.0.2.7"}
    csrf = csrf_in(stranger.get("/login").text)
    for _ in range(20):
        form = {"token": "guess", "csrf_token": csrf}
        assert stranger.post("/login", data=form, environ_overrides=elsewhere).status_code == 401
    refused = stranger.post("/login", data={"token": token, "csrf_token": csrf}, environ_overrides=elsewhere)
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 30
    assert send_login(stranger, token=token).status_code == 303, "another address is not concerned"
