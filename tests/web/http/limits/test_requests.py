"""Limits of requests from other machines. Requests of this one are never refused."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from core.base.config import Settings
from web.app import App, create_app

DATABASES = ("sqlite",)  # nothing here depends on the kind
AWAY = {"REMOTE_ADDR": "192.0.2.7"}
OTHER = {"REMOTE_ADDR": "192.0.2.8"}


@pytest.fixture
def web(settings: Settings, app: App, token: str) -> Iterator[FlaskClient]:
    """A server with small limits."""
    small = {"requests_per_minute": 3, "stranger_requests_per_minute": 2, "bytes_per_minute": 1000}
    limited = create_app(settings.model_copy(update=small))
    client = limited.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    yield client
    limited.extensions["pawsort"].db.close()


def test_a_person_is_asked_to_come_back_and_told_when(web: FlaskClient) -> None:
    for _ in range(3):
        assert web.get("/api/v1/jobs", environ_overrides=AWAY).status_code == 200
    refused = web.get("/api/v1/jobs", environ_overrides=OTHER)
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 20
    assert "Try again in" in refused.get_json()["detail"]
    assert web.get("/healthz", environ_overrides=AWAY).status_code == 200


def test_an_address_has_its_own_limit(web: FlaskClient) -> None:
    anybody = {"HTTP_AUTHORIZATION": ""}
    answers = [web.get("/login", environ_overrides=AWAY | anybody).status_code for _ in range(3)]
    assert answers == [200, 200, 429]
    assert web.get("/login", environ_overrides=OTHER | anybody).status_code == 200


def test_wrong_tokens_count_for_their_address(web: FlaskClient) -> None:
    wrong = {"HTTP_AUTHORIZATION": "Bearer wrong"}
    answers = [web.get("/api/v1/jobs", environ_overrides=AWAY | wrong).status_code for _ in range(3)]
    assert answers == [401, 401, 429]


def test_who_is_sent_to_the_login_or_has_no_csrf_token_is_counted(web: FlaskClient) -> None:
    anybody = {"HTTP_AUTHORIZATION": ""}
    pages = [web.get("/people", environ_overrides=AWAY | anybody).status_code for _ in range(3)]
    assert pages == [303, 303, 429]
    forms = [web.post("/login", environ_overrides=OTHER | anybody).status_code for _ in range(3)]
    assert forms == [403, 403, 429]


def test_bytes_of_strangers_are_counted_for_their_address(web: FlaskClient) -> None:
    anybody = {"HTTP_AUTHORIZATION": ""}
    assert web.post("/login", data={"token": "x" * 1500}, environ_overrides=AWAY | anybody).status_code == 403
    assert web.get("/login", environ_overrides=AWAY | anybody).status_code == 429
    assert web.get("/login", environ_overrides=OTHER | anybody).status_code == 200


def test_bytes_are_counted_when_they_have_come(web: FlaskClient) -> None:
    path = f"/api/v1/uploads/{uuid4()}"
    assert web.put(path, json={"name": "x" * 400}, environ_overrides=AWAY).status_code == 201
    assert web.put(f"{path}/shards/0", data=bytes(1024), environ_overrides=AWAY).status_code == 422
    assert web.get(path, environ_overrides=AWAY).status_code == 429


def test_this_machine_has_no_limit(web: FlaskClient) -> None:
    assert {web.get("/api/v1/jobs").status_code for _ in range(10)} == {200}


def test_no_refusal_while_redis_is_away(settings: Settings, app: App, token: str) -> None:
    away = create_app(settings.model_copy(update={"requests_per_minute": 1, "redis_url": "unix:///nowhere"}))
    headers = {"Authorization": f"Bearer {token}"}
    answers = [away.test_client().get("/api/v1/jobs", headers=headers, environ_overrides=AWAY) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    away.extensions["pawsort"].db.close()
