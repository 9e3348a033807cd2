"""What a training does when something is away for a moment: it waits, and loses no attempt."""

from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from core.base.clock import db_now
from core.base.database import Database
from core.base.errors import DiskFull, Unavailable
from core.base.states import JobState
from core.jobs import jobs
from core.orm.training import Training
from core.storage.blobs import Blobs
from core.training import claims
from tests.support.factories import make_labelled, make_training
from tests.support.fakes import FakeRuntime
from worker.training import train_network

DATABASES = ("sqlite",)
AWAY = (
    Unavailable("The blob store does not answer."),
    DiskFull("The disk is full."),
    OperationalError("SELECT 1", {}, Exception("the server has not answered for 75 s")),
)


@pytest.fixture
def job(db: Database, blobs: Blobs, runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch) -> UUID:
    monkeypatch.setattr(claims, "trains_layers", lambda *_: False)  # it needs no TensorFlow here
    return make_training(db, make_labelled(db, blobs))


def train(runtime: FakeRuntime, job: UUID, monkeypatch: pytest.MonkeyPatch, error: Exception) -> Training:
    """Let a training run into an error. Returns its row."""

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(train_network, "_train", fail)
    with runtime.db.write() as session:
        session.execute(update(Training).values(ready_at=db_now()))
        job_id = jobs.get_job(session, job).id
    train_network.train(runtime, job_id)
    with runtime.db.read() as session:
        assert jobs.get_job(session, job).state == JobState.RUNNING
        return session.scalars(select(Training)).one()


@pytest.mark.parametrize("error", AWAY, ids=lambda error: type(error).__name__)
def test_what_is_away_for_a_moment_costs_no_attempt(
    runtime: FakeRuntime, job: UUID, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    row = train(runtime, job, monkeypatch, error)
    assert (row.attempts, row.lease_until) == (0, None)
    assert row.ready_at is not None


def test_any_other_error_costs_one(runtime: FakeRuntime, job: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    assert train(runtime, job, monkeypatch, RuntimeError("broken")).attempts == 1
    assert train(runtime, job, monkeypatch, RuntimeError("broken")).attempts == 2
