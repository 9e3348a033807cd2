"""Streams of events about jobs, with a clock and a look that the test controls."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import pytest
from sqlalchemy import event, update
from sqlalchemy.orm import Session

from core.base.database import Database
from core.base.states import JobState
from core.jobs import job_states, jobs
from core.models import registry
from core.orm.jobs import Job
from core.storage.blobs import Blobs
from tests.support.actors import as_owner
from tests.support.factories import make_job, make_manifest, make_upload
from tests.support.waiting import until
from web.http.streams import job_watcher
from web.http.streams.event_stream import EventStream
from web.http.streams.job_watcher import JobWatcher

DATABASES = ("sqlite",)  # nothing here depends on the kind


class Watcher(JobWatcher):
    """Looks only when the test says so."""

    def __init__(self, db: Database) -> None:
        self.now = 0.0
        super().__init__(db, describe, lambda: self.now)

    def _run(self) -> None:
        pass


def describe(session: Session, watched: Sequence[Job]) -> Mapping[int, str]:
    return {job.id: job.state for job in watched}


@pytest.fixture
def job(db: Database, blobs: Blobs, version: int) -> UUID:
    return make_job(db, make_upload(db, blobs))


@pytest.fixture
def version(db: Database) -> int:
    with db.write() as session:
        return registry.register_shipped(session, [make_manifest()])[0].id


def id_of(db: Database, job: UUID) -> int:
    with db.read() as session:
        return jobs.get_job(session, job).id


def change(db: Database, job: UUID) -> None:
    with db.write() as session:
        session.execute(update(Job).where(Job.uuid == job).values(revision=Job.revision + 1))


def events(stream: EventStream) -> list[dict[str, str]]:
    """What was added, as a browser reads it."""
    blocks = [block for block in stream.take().decode().split("\n\n") if block]
    return [dict(line.split(": ", 1) for line in block.split("\n")) for block in blocks]


def test_the_state_comes_first_and_then_every_change(db: Database, job: UUID) -> None:
    watcher = Watcher(db)
    stream = watcher.watch(id_of(db, job))
    watcher.look()
    watcher.look()
    retry, first = events(stream)
    assert retry == {"retry": "2000"}
    assert (first["event"], first["data"]) == ("job", "queued")
    change(db, job)
    watcher.look()
    (second,) = events(stream)
    assert second["id"] != first["id"]
    assert not stream.has_ended


def test_a_client_that_comes_again_gets_only_what_it_has_missed(db: Database, job: UUID) -> None:
    watcher = Watcher(db)
    first = watcher.watch(id_of(db, job))
    watcher.look()
    last_id = events(first)[-1]["id"]
    again = watcher.watch(id_of(db, job), last_id)
    watcher.look()
    assert events(again) == [{"retry": "2000"}]
    change(db, job)
    late = watcher.watch(id_of(db, job), last_id)
    watcher.look()
    assert [one["event"] for one in events(again)] == ["job"]
    assert len(events(late)) == 2


def test_the_stream_ends_with_the_job(db: Database, job: UUID) -> None:
    watcher = Watcher(db)
    stream = watcher.watch(id_of(db, job))
    with db.write() as session:
        job_states.cancel_job(session, as_owner(session), job)
    watcher.look()
    assert events(stream)[-1]["data"] == JobState.CANCELLED
    assert stream.has_ended


def test_heartbeats_come_every_quarter_of_a_minute_and_an_end_after_five_minutes(db: Database, job: UUID) -> None:
    watcher = Watcher(db)
    stream = watcher.watch(id_of(db, job))
    watcher.look()
    stream.take()
    watcher.now = job_watcher.HEARTBEAT_S - 1
    watcher.look()
    assert stream.take() == b""
    watcher.now = job_watcher.HEARTBEAT_S
    watcher.look()
    watcher.look()
    assert stream.take() == b": still here\n\n"
    watcher.now = job_watcher.LONGEST_S
    watcher.look()
    assert stream.has_ended


def test_a_stream_ends_when_its_person_has_been_shut_out(db: Database, job: UUID) -> None:
    watcher, may_see = Watcher(db), True
    stream, other = watcher.watch(id_of(db, job), may_see=lambda _: may_see), watcher.watch(id_of(db, job))
    watcher.now = job_watcher.HEARTBEAT_S
    watcher.look()
    assert not stream.has_ended
    may_see = False
    watcher.now += job_watcher.HEARTBEAT_S
    watcher.look()
    assert (stream.has_ended, other.has_ended) == (True, False)


def test_many_clients_cost_one_statement_while_nothing_changes(db: Database, job: UUID) -> None:
    watcher = Watcher(db)
    streams = [watcher.watch(id_of(db, job)) for _ in range(20)]
    watcher.look()
    statements: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    watcher.look()
    assert len([one for one in statements if one.startswith("SELECT")]) == 1
    assert {stream.take() for stream in streams[1:]} == {streams[0].take()}


def test_a_response_without_our_server_ends_with_the_first_event(db: Database, job: UUID) -> None:
    watcher = Watcher(db)
    stream = watcher.watch(id_of(db, job))
    watcher.look()
    (body,) = list(stream)
    assert body.decode().count("event: job") == 1


class Failing(JobWatcher):
    """Fails at its first look, and ends all streams at the second."""

    n_looks = 0

    def look(self) -> None:
        self.n_looks += 1
        self._wake.set()  # the next look comes at once
        if self.n_looks == 1:
            raise ValueError("a job that nobody can describe")
        for stream in list(self._streams):
            stream.close()


def test_an_unexpected_error_leaves_no_stream_without_its_end(db: Database) -> None:
    stream = Failing(db, describe).watch(1)
    until(lambda: stream.has_ended)
