"""Event streams at a real server that has fewer threads than streams."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from uuid import UUID

import httpx2
import pytest

from core.base.config import Settings
from core.base.database import Database
from core.jobs import job_states
from core.storage.blobs import Blobs
from tests.support.actors import as_owner
from tests.support.browser.stoppable_server import StoppableServer
from tests.support.deadlines import within
from tests.support.factories import make_job, make_upload

DATABASES = ("sqlite",)  # nothing here depends on the kind
N_STREAMS = 12


@pytest.fixture
def server(settings: Settings, app: object) -> Iterator[StoppableServer]:
    """A server of two threads."""
    with StoppableServer(settings.model_copy(update={"web_threads": 2})) as started:
        yield started


def next_event(lines: Iterator[str]) -> dict[str, str]:
    """The next event of a stream, without comments and the time to retry."""
    found: dict[str, str] = {}
    for line in lines:
        if line and not line.startswith((":", "retry")):
            name, _, value = line.partition(": ")
            found[name] = value
        elif not line and found:
            return found
    return found


def test_streams_hold_no_thread_pass_changes_on_and_end_with_the_job(
    server: StoppableServer, token: str, db: Database, blobs: Blobs
) -> None:
    job = make_job(db, make_upload(db, blobs))
    path, headers = f"/api/v1/jobs/{job}/events", {"Authorization": f"Bearer {token}"}
    client = httpx2.Client(base_url=server.address, headers=headers, timeout=within(20), trust_env=False)
    with client, ExitStack() as stack:
        answers = [stack.enter_context(client.stream("GET", path)) for _ in range(N_STREAMS)]
        streams = [answer.iter_lines() for answer in answers]
        first = [next_event(stream) for stream in streams]
        assert client.get("/healthz").is_success
        cancel(db, job)
        last = [next_event(stream) for stream in streams]
        assert [list(stream) for stream in streams] == [[]] * N_STREAMS  # each response has an end
    assert {answer.headers["Content-Type"] for answer in answers} == {"text/event-stream; charset=utf-8"}
    assert {answer.headers["X-Accel-Buffering"] for answer in answers} == {"no"}
    assert {json.loads(one["data"])["state"] for one in first} == {"queued"}
    assert {json.loads(one["data"])["state"] for one in last} == {"cancelled"}
    known = httpx2.get(
        f"{server.address}{path}",
        headers=headers | {"Last-Event-ID": last[0]["id"]},
        trust_env=False,
        timeout=within(20),
    )
    assert known.status_code == 204  # so a browser does not connect again


def cancel(db: Database, job: UUID) -> None:
    with db.write() as session:
        job_states.cancel_job(session, as_owner(session), job)
