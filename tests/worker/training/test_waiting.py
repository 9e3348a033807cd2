"""What a training does when something is away for a moment: it waits, and loses no attempt."""

from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from core.base.clock import db_now
from core.base.database import Database
from core.base.errors import DiskFull, Refused, Unavailable
from core.base.leases import MAX_ATTEMPTS
from core.base.states import JobState
from core.decoding.pool.child import DecoderNotStarted
from core.jobs import jobs
from core.orm.training import Training
from core.storage.blobs import Blobs
from core.training import claims, progress
from tests.support.factories import make_labelled, make_training, run_epochs
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


def job_id_of(runtime: FakeRuntime, job: UUID) -> int:
    with runtime.db.read() as session:
        return jobs.get_job(session, job).id


def make_ready(runtime: FakeRuntime) -> None:
    """End the pause after an attempt."""
    with runtime.db.write() as session:
        session.execute(update(Training).values(ready_at=db_now()))


def train(runtime: FakeRuntime, job: UUID, monkeypatch: pytest.MonkeyPatch, error: Exception) -> Training:
    """Let a training run into an error. Returns its row."""

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(train_network, "_train", fail)
    make_ready(runtime)
    train_network.train(runtime, job_id_of(runtime, job))
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


def test_a_setting_to_correct_is_named_in_the_log_and_not_on_the_page(
    runtime: FakeRuntime, job: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise Refused("PAWSORT_BLOB_URL: the store refuses the keys.")

    monkeypatch.setattr(train_network, "_train", refuse)
    with capture_logs() as logs:
        train_network.train(runtime, job_id_of(runtime, job))
    with runtime.db.read() as session:
        error = jobs.get_job(session, job).error or ""
    assert "Tell the person who runs it" in error
    assert "PAWSORT" not in error
    assert any("PAWSORT_BLOB_URL" in entry.get("reason", "") for entry in logs)


def test_between_two_attempts_the_page_says_that_one_was_interrupted(
    runtime: FakeRuntime, job: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(runtime, job, monkeypatch, DecoderNotStarted("No process left."))
    train(runtime, job, monkeypatch, DecoderNotStarted("No process left."))
    with runtime.db.read() as session:
        view = progress.describe_training(session, jobs.get_job(session, job))
    assert (view.is_held, view.n_interrupted, view.eta_s, view.phase_left_s) == (False, 2, None, None)


def test_a_training_whose_decoder_never_starts_fails_with_what_to_do(
    runtime: FakeRuntime, job: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(MAX_ATTEMPTS):
        train(runtime, job, monkeypatch, DecoderNotStarted("No process left."))
    make_ready(runtime)
    train_network.train(runtime, job_id_of(runtime, job))
    with runtime.db.read() as session:
        row = jobs.get_job(session, job)
        assert row.state == JobState.FAILED
        assert f"{MAX_ATTEMPTS} times" in (row.error or "")


def test_a_training_under_way_has_no_interrupted_attempt(runtime: FakeRuntime, job: UUID) -> None:
    run_epochs(runtime.db, job, 1)
    with runtime.db.read() as session:
        view = progress.describe_training(session, jobs.get_job(session, job))
    assert (view.is_held, view.n_interrupted) == (True, 0)
