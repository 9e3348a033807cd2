"""200 slow clients of each kind next to 50 people, directly and through the proxy. It prints what it measured."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from core.base.config import Settings
from core.base.database import Database
from core.storage.blobs import Blobs
from tests.support import compose
from tests.support.browser.stoppable_server import StoppableServer
from tests.support.deadlines import within
from tests.support.factories import make_job, make_upload, run_job
from tests.support.proxy import running_proxy
from tests.support.slow_clients import kinds, percentile, slow_clients
from tests.support.waiting import until

DATABASES = ("sqlite",)  # nothing here depends on the kind
N_SLOW, N_PEOPLE = 200, 50
SECONDS = 8.0
LONGEST_S = 0.5
PEOPLE = "127.0.0.2"

pytestmark = pytest.mark.slow


@pytest.fixture
def server(settings: Settings, app: object) -> Iterator[StoppableServer]:
    with StoppableServer(settings) as started:
        yield started


@pytest.fixture(params=["directly", "proxy"])
def address(request: pytest.FixtureRequest, server: StoppableServer, tmp_path: Path) -> Iterator[str]:
    """The address that clients use."""
    if request.param == "directly":
        yield server.address
        return
    if compose.missing("nginx"):
        pytest.skip("nginx is not installed")
    folder = tmp_path / "proxy"
    folder.mkdir()
    with running_proxy(folder, server.address) as address:
        until(lambda: is_up(address))
        yield address


def is_up(address: str) -> bool:
    try:
        return httpx2.get(f"{address}/healthz", trust_env=False).is_success
    except httpx2.TransportError:
        return False


def ask(client: httpx2.Client, path: str) -> httpx2.Response:
    """The answer; a connection that was idle for longer than servers keep it is opened again, as browsers do."""
    try:
        return client.get(path)
    except httpx2.RemoteProtocolError:
        return client.get(path)


def people(address: str, token: str, path: str) -> list[float]:
    """Times of answers to `N_PEOPLE` people who ask for health, and for what is new, each second."""

    def one(number: int) -> list[float]:
        times = []
        transport = httpx2.HTTPTransport(local_address=PEOPLE)
        headers = {"Authorization": f"Bearer {token}"}
        time.sleep(number / N_PEOPLE)
        give_up_at = time.monotonic() + within(SECONDS)
        with httpx2.Client(base_url=address, headers=headers, timeout=within(60), transport=transport) as client:
            while time.monotonic() < give_up_at:
                for asked in ("/healthz", path):
                    began_at = time.monotonic()
                    ask(client, asked).raise_for_status()
                    times.append(time.monotonic() - began_at)
                time.sleep(1.0)
        return times

    with ThreadPoolExecutor(N_PEOPLE) as pool:
        return [took for times in pool.map(one, range(N_PEOPLE)) for took in times]


def test_200_slow_clients_of_each_kind_keep_nobody_waiting(
    address: str, db: Database, blobs: Blobs, token: str
) -> None:
    upload = f"/api/v1/uploads/{uuid4()}"
    httpx2.put(f"{address}{upload}", json={}, headers={"Authorization": f"Bearer {token}"}).raise_for_status()
    files = {f"{n}.jpg": os.urandom(2**20) for n in range(24)}
    job = make_job(db, make_upload(db, blobs, files))
    run_job(db, job, {}, default=(0.9, 0.05))
    poll = f"/api/v1/jobs/{job}"
    export = f"GET {poll}/export.zip HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    clients = {name: (*kind, False) for name, kind in kinds(upload, token).items()}
    clients["slow reader of an export"] = (export, False, True)
    slowest = 0.0
    measured = {"nobody slow": people(address, token, poll)}
    for name, (first, dribbles, reads_slowly) in clients.items():
        with ExitStack() as stack:
            for source in range(4):  # the proxy limits the connections of one address
                group = slow_clients(
                    address, N_SLOW // 4, first, dribbles, reads_slowly, source=f"127.0.0.{10 + source}"
                )
                stack.enter_context(group)
            measured[name] = people(address, token, poll)
    for name, times in measured.items():
        p95 = percentile(times, 0.95)
        print(f"{name}: {len(times)} answers, p95 {p95 * 1000:.0f} ms, slowest {max(times) * 1000:.0f} ms")
        slowest = max(slowest, p95)
    usual = percentile(measured["nobody slow"], 0.95)
    assert slowest < max(within(LONGEST_S), 2 * usual)
