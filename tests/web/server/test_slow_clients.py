"""Slow clients of every kind next to people at work, at a real server with fewer threads than clients."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx2
import pytest

from core.base.config import Settings
from tests.support.browser.stoppable_server import StoppableServer
from tests.support.deadlines import within
from tests.support.factories import draw_picture, make_tar
from tests.support.slow_clients import kinds, percentile, slow_clients
from tests.support.waiting import until

DATABASES = ("sqlite",)  # nothing here depends on the kind
LONGEST_S = 2.0  # behind slow clients that hold all threads it would be 10 s


@pytest.fixture
def server(settings: Settings, app: object) -> Iterator[StoppableServer]:
    """A server of few threads, so that few clients would be enough."""
    with StoppableServer(settings.model_copy(update={"web_threads": 4})) as started:
        yield started


@pytest.fixture
def upload(server: StoppableServer, token: str) -> str:
    """The path of an upload that waits for shards."""
    path = f"/api/v1/uploads/{uuid4()}"
    with client_of(server.address, token) as client:
        client.put(path, json={}).raise_for_status()
    return path


def client_of(address: str, token: str) -> httpx2.Client:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx2.Client(base_url=address, headers=headers, timeout=within(20), trust_env=False)


def poll(client: httpx2.Client, path: str) -> list[float]:
    """Times of answers to a few people, who ask for health and for a path at the same time."""

    def one(asked: str) -> float:
        began_at = time.monotonic()
        client.get(asked).raise_for_status()
        return time.monotonic() - began_at

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(one, ("/healthz", path) * 4))


def test_slow_clients_of_every_kind_do_not_keep_others_waiting(
    server: StoppableServer, upload: str, token: str
) -> None:
    with client_of(server.address, token) as client:
        for name, (first, dribbles) in kinds(upload, token).items():
            with slow_clients(server.address, 40, first, dribbles):
                times = poll(client, upload)
            assert percentile(times, 0.95) < within(LONGEST_S), name
    check_places(server.address, upload, token)


def check_places(address: str, upload: str, token: str) -> None:
    """Stalled bodies hold half of the threads; others are asked to come back, and small bodies need no such place."""
    first, dribbles = kinds(upload, token)["stalled body"]
    small = make_tar({"a.png": draw_picture(1)})
    large = make_tar({"a.png": draw_picture(1), "b.bin": bytes(300_000)})
    with client_of(address, token) as client:

        def put_large() -> httpx2.Response:
            return client.put(f"{upload}/shards/1", content=large)

        with slow_clients(address, 2, first, dribbles):
            refused = until(lambda: [answer] if (answer := put_large()).status_code == 503 else None)[0]
            assert refused.headers["Retry-After"] == "2"
            assert "too many uploads" in refused.json()["detail"]
            assert client.put(f"{upload}/shards/0", content=small).status_code == 201
        until(lambda: put_large().is_success)
