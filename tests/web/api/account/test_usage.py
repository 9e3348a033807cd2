"""Quotas over HTTP."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from core.base.config import Settings
from tests.support.factories import draw_picture, make_tar
from web.app import App, create_app

TAR = make_tar({"a.jpg": draw_picture(1), "b.jpg": draw_picture(2)})


@pytest.fixture
def small(settings: Settings, app: App, token: str) -> Iterator[FlaskClient]:
    """A server that accepts one such tar of each person."""
    limited = create_app(settings.model_copy(update={"quota_bytes": len(TAR) + 100, "quota_images": 2}))
    client = limited.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    yield client
    limited.extensions["pawsort"].db.close()


def test_usage_and_what_is_left_are_shown(small: FlaskClient) -> None:
    path = f"/api/v1/uploads/{uuid4()}"
    limits = small.put(path, json={}).get_json()["limits"]
    assert (limits["bytes_left"], limits["images_left"]) == (len(TAR) + 100, 2)
    assert small.put(f"{path}/shards/0", data=TAR).status_code == 201
    assert small.get("/api/v1/account/usage").get_json() == {
        "n_bytes": len(TAR),
        "n_images": 2,
        "max_bytes": len(TAR) + 100,
        "max_images": 2,
    }
    assert small.get(path).get_json()["limits"]["images_left"] == 0


def test_more_is_413(small: FlaskClient) -> None:
    path = f"/api/v1/uploads/{uuid4()}"
    small.put(path, json={})
    small.put(f"{path}/shards/0", data=TAR)
    for answer in (small.put(f"{path}/shards/1", data=TAR), small.put("/api/v1/archives", data=TAR)):
        assert answer.status_code == 413
        assert "You can have up to" in answer.get_json()["detail"]


def test_without_a_quota_there_is_no_limit(client: FlaskClient) -> None:
    assert client.get("/api/v1/account/usage").get_json() == {
        "n_bytes": 0,
        "n_images": 0,
        "max_bytes": None,
        "max_images": None,
    }
