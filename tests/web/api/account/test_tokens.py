"""Tokens by the API."""

from datetime import datetime, timedelta

from flask.testing import FlaskClient
from sqlalchemy import select

from core.accounts import accounts, tokens
from core.accounts.rights import Right
from core.base.database import Database
from core.orm.accounts import Token
from tests.support.login import log_in
from web.app import App

DATABASES = ("sqlite",)  # nothing here depends on the kind

TOKENS = "/api/v1/tokens"
SESSIONS = "/api/v1/sessions"


def client_of(app: App, token: str) -> FlaskClient:
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return client


def create(client: FlaskClient, **fields: object) -> dict[str, object]:
    answer = client.post(TOKENS, json=fields)
    assert answer.status_code == 201, answer.text
    assert isinstance(answer.json, dict)
    return answer.json


def test_a_token_is_made_listed_used_and_revoked(app: App, client: FlaskClient) -> None:
    made = create(client, name="script", scopes=["send", "see"])
    key = made.pop("token")
    assert isinstance(key, str)
    assert made["scopes"] == ["see", "send"]
    lifetime = datetime.fromisoformat(str(made["expires_at"])) - datetime.fromisoformat(str(made["created_at"]))
    assert abs(lifetime - timedelta(days=90)) < timedelta(minutes=1)
    own = client_of(app, key)
    assert own.get("/api/v1/jobs").status_code == 200
    listed = client.get(TOKENS).json
    assert listed is not None
    assert [one["name"] for one in listed["items"]] == ["script", "test"]
    assert listed["items"][0]["last_used_at"] is not None
    assert "token" not in listed["items"][0]
    assert client.delete(f"{TOKENS}/{made['id']}").status_code == 204
    assert own.get("/api/v1/jobs").status_code == 401


def test_a_token_makes_none_with_more_rights_and_none_that_outlives_it_or_its_revocation(
    app: App, db: Database, token: str
) -> None:
    with db.write() as session:
        limited = tokens.create_token(session, "limited", days=3, scopes={Right.SEE, Right.SEND})
    own = client_of(app, limited)
    assert own.post(TOKENS, json={"name": "more", "scopes": ["models"]}).status_code == 403
    made = create(own, name="heir", days=30)
    assert made["scopes"] == ["see", "send"]
    with db.read() as session:
        ends = dict(session.execute(select(Token.name, Token.expires_at)).all())
        limited_id = session.scalars(select(Token.id).where(Token.name == "limited")).one()
    assert ends["heir"] == ends["limited"]
    heir = client_of(app, str(made["token"]))
    assert heir.get(TOKENS).status_code == 200
    assert client_of(app, token).delete(f"{TOKENS}/{limited_id}").status_code == 204
    assert heir.get(TOKENS).status_code == 401, "what a token made is revoked with it"


def test_a_member_sees_and_revokes_the_own_tokens_only_and_an_admin_revokes_all(
    app: App, client: FlaskClient, db: Database
) -> None:
    with db.write() as session:
        of_ada = tokens.create_token(session, "hers", accounts.get_or_create_user(session, "ada"))
        ids = dict(session.execute(select(Token.name, Token.id)).all())
    ada = client_of(app, of_ada)
    listed = ada.get(TOKENS).json
    assert listed is not None
    assert [one["name"] for one in listed["items"]] == ["hers"]
    assert ada.delete(f"{TOKENS}/{ids['test']}").status_code == 404
    assert client.delete(f"{TOKENS}/{ids['hers']}").status_code == 204
    assert ada.get(TOKENS).status_code == 401


def test_a_token_with_few_scopes_ends_nothing_that_has_more(app: App, client: FlaskClient, db: Database) -> None:
    whole, *limited = (create(client, name="x", scopes=scopes) for scopes in (None, ["see"], ["see"]))
    log_in(browser := app.test_client(), str(whole["token"]))
    few = client_of(app, str(limited[1]["token"]))
    (opened,) = few.get(SESSIONS).json["items"]  # type: ignore[index]
    for path in (f"{TOKENS}/{whole['id']}", SESSIONS, f"{SESSIONS}/{opened['id']}"):
        refused = few.delete(path)
        assert refused.status_code == 403, path
        assert "also has label, send" in refused.text
    assert browser.get("/account").status_code == 200
    assert [few.delete(f"{TOKENS}/{one['id']}").status_code for one in limited] == [204, 204]


def test_what_cannot_be_made_is_422(client: FlaskClient) -> None:
    for wrong in ({}, {"name": "x", "days": 0}, {"name": "x", "days": 367}, {"name": "x", "scopes": ["all"]}):
        assert client.post(TOKENS, json=wrong).status_code == 422, wrong
