"""The account page: the person's own tokens and sessions, and nobody else's."""

import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from core.accounts import accounts, sessions, tokens
from core.base.database import Database
from core.orm.accounts import LoginSession
from core.orm.audit_log import AuditEntry
from core.uploads import usage
from core.uploads.usage import Quota
from tests.support.actors import as_owner
from tests.support.login import csrf_in, log_in, send_login
from tests.support.people import grow_old
from web.app import App
from web.pages.account.agents import describe_agent

DATABASES = ("sqlite",)  # pages do not differ between databases

JOBS = "/api/v1/jobs"


@pytest.fixture
def ada(app: App, db: Database) -> FlaskClient:
    """Another person with a session, a member."""
    client = app.test_client()
    with db.write() as session:
        user = accounts.get_or_create_user(session, "ada")
        log_in_with = tokens.create_token(session, "for the browser", user)
    log_in(client, log_in_with)
    client.environ_base["HTTP_ACCEPT"] = "text/html"
    return client


def post(client: FlaskClient, path: str, **fields: object) -> str:
    csrf = csrf_in(client.get("/account").text)
    answer = client.post(path, data={"csrf_token": csrf, **fields}, follow_redirects=True)
    return answer.text


def new_token(page: str) -> str:
    found = re.search(r'id="new-token" value="([^"]+)"', page)
    assert found is not None, page
    return found[1]


def status(app: App, token: str, method: str = "GET", path: str = JOBS) -> int:
    return app.test_client().open(path, method=method, headers={"Authorization": f"Bearer {token}"}).status_code


def test_a_token_is_made_soon_after_a_login(app: App, ada: FlaskClient, db: Database) -> None:
    """A token outlives the session: somebody at an open browser, or with a stolen cookie, must not make one."""
    fields = {"name": "camera", "days": "30", "scope": "see"}
    csrf = {"X-CSRF-Token": csrf_in(ada.get("/account").text)}
    with_token = {"Authorization": f"Bearer {new_token(post(ada, '/account/tokens', **fields))}"}
    grow_old(db)
    page = ada.get("/account").text
    assert "To make a token" in page
    assert "Create token" not in page
    assert "You logged in more than 15 minutes ago" in post(ada, "/account/tokens", **fields)
    wanted = {"name": "script", "scopes": ["see"]}
    refused = ada.post("/api/v1/tokens", json=wanted, headers=csrf)
    assert (refused.status_code, "Log in again" in refused.text) == (403, True)
    assert app.test_client().post("/api/v1/tokens", json=wanted, headers=with_token).status_code == 201


def test_the_only_person_of_a_server_for_this_machine_makes_tokens_at_any_time(
    app: App, db: Database, token: str
) -> None:
    browser = app.test_client()
    log_in(browser, token)
    with db.write() as session:
        session.scalars(select(LoginSession)).one().created_at -= timedelta(hours=1)
    new_token(post(browser, "/account/tokens", name="camera", days="30", scope="see"))


def test_a_token_is_shown_once_and_works_until_it_is_revoked(app: App, ada: FlaskClient, db: Database) -> None:
    page = post(ada, "/account/tokens", name="camera", days="30", scope=["see", "send"])
    token = new_token(page)
    assert status(app, token) == 200
    again = ada.get("/account").text
    assert "camera" in again
    assert "see, send" in again
    assert token not in again
    with db.read() as session:
        (made,) = [one for one in tokens.list_tokens(session) if one.name == "camera"]
    assert made.expires_at is not None
    assert (made.expires_at - made.created_at).days in (29, 30)
    post(ada, f"/account/tokens/{made.id}/revoke")
    assert status(app, token) == 401


def test_a_token_may_do_what_its_scopes_and_its_person_both_may(app: App, ada: FlaskClient) -> None:
    token = new_token(post(ada, "/account/tokens", name="reader", days="7", scope="see"))
    assert status(app, token) == 200
    assert status(app, token, "PUT", "/api/v1/uploads/25ce91aa-6218-41f4-a41e-5f6cbe46c898") == 403


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": "all", "days": "30", "scope": ["see", "people"]}, "Only admins can"),
        ({"name": "none", "days": "30"}, "at least one right"),
        ({"name": "for ever", "days": "100000", "scope": "see"}, "expected 1 to 366"),
        ({"name": "", "days": "30", "scope": "see"}, "expected 1 to 200 characters"),
    ],
)
def test_a_token_that_cannot_be_made_is_refused_in_the_form(
    ada: FlaskClient, db: Database, fields: dict[str, object], sentence: str
) -> None:
    assert sentence in post(ada, "/account/tokens", **fields)
    with db.read() as session:
        assert len(tokens.list_tokens(session)) == 1


def test_every_other_browser_is_logged_out_and_this_one_stays(
    app: App, ada: FlaskClient, browser: FlaskClient, db: Database
) -> None:
    with db.write() as session:
        user = accounts.get_or_create_user(session, "ada")
        for _ in range(2):
            sessions.open_session(session, user, "10.1.2.3", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0")
    page = ada.get("/account").text
    assert page.count("Firefox on Linux") == 4  # twice in words, twice for the names of the buttons
    assert "10.1.2.3" in page
    page = post(ada, "/account/sessions/end-others")
    assert "Firefox on Linux" not in page
    assert "This browser" in page
    assert browser.get(JOBS).status_code == 200, "other people stay logged in"


def test_nobody_ends_a_session_or_revokes_a_token_of_somebody_else(
    app: App, ada: FlaskClient, browser: FlaskClient, token: str, db: Database
) -> None:
    with db.read() as session:
        owner = accounts.get_or_create_owner(session)
        (own,) = sessions.list_sessions(session, owner.id)
        (their_token,) = tokens.list_tokens(session, owner.id)
    csrf = {"csrf_token": csrf_in(ada.get("/account").text)}
    assert ada.post(f"/account/sessions/{own.id}/end", data=csrf).status_code == 404
    assert ada.post(f"/account/tokens/{their_token.id}/revoke", data=csrf).status_code == 404
    assert browser.get(JOBS).status_code == 200
    assert status(app, token) == 200


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (None, "An unknown browser"),
        ("curl/8.5", "curl/8.5"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36",
            "Chrome on Windows",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on macOS"),
    ],
)
def test_a_browser_is_named_in_words(agent: str | None, words: str) -> None:
    assert describe_agent(agent) == words


def test_usage_is_shown_with_the_quota(ada: FlaskClient, db: Database) -> None:
    assert "You have no quota" in ada.get("/account").text
    with db.write() as session:
        user = accounts.get_or_create_user(session, "ada")
        usage.set_quota(session, as_owner(session), user.id, Quota(n_bytes=5_000_000_000, n_images=1000))
        usage.add(session, user.id, 1_200_000_000, 300)
    page = ada.get("/account").text
    for text in ("Files: 1.2 GB", "of 5.0 GB", "Pictures: 300", "of 1,000"):
        assert text in page


def test_coming_in_and_going_out_and_what_is_done_with_tokens_is_recorded(app: App, db: Database, token: str) -> None:
    client = app.test_client()
    send_login(client, token="wrong")
    client.get(JOBS, headers={"Authorization": "Bearer wrong"})
    log_in(client, token)
    new_token(post(client, "/account/tokens", name="camera", days="30", scope="see"))
    with db.read() as session:
        (made,) = [one.id for one in tokens.list_tokens(session) if one.name == "camera"]
    post(client, f"/account/tokens/{made}/revoke")
    post(client, "/account/sessions/end-others")
    post(client, "/logout")
    with db.read() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [(one.action, one.outcome, one.user_name, one.via) for one in entries] == [
        ("login", "refused", "", "session"),
        ("login", "refused", "", "token"),
        ("login", "done", "owner", "session"),
        ("token.create", "done", "owner", "session"),
        ("token.revoke", "done", "owner", "session"),
        ("session.end", "done", "owner", "session"),
        ("logout", "done", "owner", "session"),
    ]
    assert {one.address for one in entries} == {"127.0.0.1"}
    assert entries[3].details["name"] == "camera"
