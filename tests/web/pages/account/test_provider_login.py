"""Logging in by an OpenID Connect provider: whose account it opens, and with which role."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from core.accounts import accounts, invitations, people
from core.accounts.rights import Role
from core.base.config import Settings
from core.base.database import Database
from core.orm.accounts import ProviderIdentity, User
from tests.support.openid_provider import OpenIdProvider, openid_provider, with_provider
from tests.support.people import add_person, grow_old, hash_cheaply, log_in_as, send
from web.app import App, create_app

DATABASES = ("sqlite",)  # nothing here depends on the kind

NO_ACCOUNT = "You have no account here yet"


@pytest.fixture
def provider() -> Iterator[OpenIdProvider]:
    with openid_provider() as running:
        yield running


@pytest.fixture
def settings(settings: Settings, provider: OpenIdProvider) -> Settings:
    return with_provider(settings, provider)


def go(client: FlaskClient, provider: OpenIdProvider, **query: str) -> TestResponse:
    """Log in at the provider; returns where that ends here."""
    address = client.get("/login/provider", query_string=query).headers["Location"]
    return client.get("/login/provider/answer", query_string=provider.authorize(address))


def know(db: Database, provider: OpenIdProvider, name: str = "ada", **changes: Any) -> int:
    """A person who is known by the claims of the provider."""
    with db.write() as session:
        user = accounts.get_or_create_user(session, name)
        row = {"issuer": provider.issuer, "subject": provider.claims["sub"], "email": "ada@example.org", **changes}
        session.add(ProviderIdentity(user_id=user.id, **row))
        return user.id


def names(db: Database) -> set[str]:
    with db.read() as session:
        return set(session.scalars(select(User.name)))


def test_a_known_person_is_logged_in_and_comes_where_the_link_led(
    app: App, db: Database, provider: OpenIdProvider
) -> None:
    know(db, provider)
    client = app.test_client()
    assert "Log in with Test provider" in client.get("/login").text
    assert go(client, provider, next="/help").headers["Location"] == "/help"
    assert "<h1>ada" in client.get("/account").text.replace("<bdi>", "")
    assert go(app.test_client(), provider, next="//evil.example").headers["Location"] == "/"


def test_an_answer_counts_once_and_only_in_the_browser_that_asked(
    app: App, db: Database, provider: OpenIdProvider
) -> None:
    know(db, provider)
    client, other = app.test_client(), app.test_client()
    answer = provider.authorize(client.get("/login/provider").headers["Location"])
    other.get("/login/provider")
    assert other.get("/login/provider/answer", query_string=answer).status_code == 401
    assert app.test_client().get("/login/provider/answer", query_string=answer).status_code == 401
    assert client.get("/login/provider/answer", query_string=answer).status_code == 303
    assert client.get("/login/provider/answer", query_string=answer).status_code == 401


@pytest.mark.parametrize("change", [{"issuer": "https://other.example"}, {"subject": "another"}])
def test_the_same_subject_elsewhere_and_the_same_address_are_other_people(
    app: App, db: Database, provider: OpenIdProvider, change: dict[str, str]
) -> None:
    know(db, provider, **change)
    provider.claims["email"] = "ada@example.org"
    client = app.test_client()
    assert NO_ACCOUNT in go(client, provider).text
    assert client.get("/account").status_code == 303


def test_a_person_with_a_new_address_and_name_is_still_the_same(
    app: App, db: Database, provider: OpenIdProvider
) -> None:
    know(db, provider)
    provider.claims |= {"email": "lovelace@example.org", "preferred_username": "owner"}
    assert go(app.test_client(), provider).status_code == 303
    with db.read() as session:
        assert session.scalars(select(ProviderIdentity.email)).one() == "lovelace@example.org"
    assert names(db) <= {"ada", accounts.OWNER}


def test_an_invited_person_joins_by_the_provider_after_a_form(app: App, db: Database, provider: OpenIdProvider) -> None:
    with db.write() as session:
        _, code = invitations.invite(session, people.act_as_owner(session), Role.VIEWER)
    client = app.test_client()
    asked = go(client, provider, invitation=code)
    assert asked.headers["Location"] == "/invitation/provider"
    assert "ada" not in names(db), "a link alone gives nobody an account"
    assert "is called" in send(client, "/invitation/provider", name="OWNER").text
    assert send(client, "/invitation/provider", name="ada l").headers["Location"] == "/"
    assert "viewer" in client.get("/account").text
    assert go(app.test_client(), provider).headers["Location"] == "/"
    assert app.test_client().get(f"/invitation?code={code}").status_code == 410


def test_somebody_without_an_invitation_gets_an_account_only_where_the_settings_say_so(
    app: App, db: Database, settings: Settings, provider: OpenIdProvider
) -> None:
    assert NO_ACCOUNT in go(app.test_client(), provider).text
    open_to_all = create_app(settings.model_copy(update={"oidc_create_people": True}))
    before = names(db)
    assert go(open_to_all.test_client(), provider).status_code == 303
    assert names(db) - before == {"ada"}
    provider.claims["sub"] = "another"
    assert go(open_to_all.test_client(), provider).status_code == 303
    assert "ada 2" in names(db), "a name never opens an account"
    open_to_all.extensions["pawsort"].db.close()


def test_connecting_an_account_asks_first(
    app: App, db: Database, provider: OpenIdProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    hash_cheaply(monkeypatch)
    add_person(db, "eve")
    client = log_in_as(app, "eve")
    assert go(client, provider, connect="1").headers["Location"] == "/account/provider"
    assert NO_ACCOUNT in go(app.test_client(), provider).text
    grow_old(db)
    assert client.get("/account/provider").status_code == 403
    assert send(client, "/account/provider", "/account").status_code == 403
    client = log_in_as(app, "eve")
    assert go(client, provider, connect="1").headers["Location"] == "/account/provider"
    assert send(client, "/account/provider").status_code == 303
    assert go(app.test_client(), provider).status_code == 303


def test_groups_give_the_role_at_each_login_but_never_take_the_owners(
    app: App, db: Database, settings: Settings, provider: OpenIdProvider
) -> None:
    know(db, provider)
    by_groups = create_app(settings.model_copy(update={"oidc_roles": "admin=operators, member=staff"}))
    client = by_groups.test_client()
    assert "None of your groups" in go(client, provider).text
    for groups, status in ((["operators"], 200), (["staff", "choir"], 403)):
        provider.claims["groups"] = groups
        assert go(client, provider).status_code == 303
        assert client.get("/people").status_code == status
    provider.claims["sub"] = "of the owner"
    know(db, provider, accounts.OWNER)
    assert go(client, provider).status_code == 303
    assert client.get("/people").status_code == 200
    by_groups.extensions["pawsort"].db.close()


def test_a_disabled_person_and_a_provider_that_is_away_are_explained(
    app: App, db: Database, settings: Settings, provider: OpenIdProvider
) -> None:
    know(db, provider)
    with db.write() as session:
        people.disable(session, people.act_as_owner(session), "ada")
    assert NO_ACCOUNT in go(app.test_client(), provider).text
    away = create_app(settings.model_copy(update={"oidc_issuer": "http://127.0.0.1:9"}))
    answer = away.test_client().get("/login/provider")
    assert answer.status_code == 503
    assert "can’t be reached at the moment" in answer.text
    assert away.test_client().get("/logout/provider").headers["Location"] == "/login"
    away.extensions["pawsort"].db.close()
