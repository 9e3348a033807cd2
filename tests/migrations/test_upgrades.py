"""Upgrades with work under way: it goes on with the new schema, and old workers finish only where they may."""

from uuid import UUID

import pytest
from alembic import command
from alembic.script import ScriptDirectory

from core.base.database import Database
from core.base.errors import Refused
from core.base.states import JobState
from core.jobs import chunks, jobs
from core.models import registry
from core.operations import workers
from core.storage.blobs import Blobs
from migrations.run import check_schema, make_config, migrate
from tests.support.factories import (
    make_job,
    make_labelled,
    make_manifest,
    make_training,
    make_upload,
    run_epochs,
    run_job,
)
from tests.support.soundness import check_sound

# The schema of 0.1.0, and one of what comes after it.
RELEASED = ("0016", "0038")
FORBIDS_OLD_WORKERS = "0031"


def go_back_to(db: Database, revision: str) -> None:
    """Give a database an older schema."""
    config = make_config()
    with db.engine.execution_options(writes=True).begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def test_every_migration_says_whether_old_workers_may_finish_beside_it() -> None:
    scripts = list(ScriptDirectory.from_config(make_config()).walk_revisions())
    assert [one.revision for one in scripts if not isinstance(one.module.runs_beside_old_workers, bool)] == []
    assert FORBIDS_OLD_WORKERS in [one.revision for one in scripts if not one.module.runs_beside_old_workers]


@pytest.mark.parametrize("released", RELEASED)
def test_work_under_way_goes_on_after_an_upgrade(db: Database, blobs: Blobs, released: str) -> None:
    with db.write() as session:
        registry.register_shipped(session, [make_manifest()])
    running, training = make_job(db, make_upload(db, blobs)), make_training(db, make_labelled(db, blobs))
    run_epochs(db, training, 2)
    with db.write() as session:
        claim = chunks.claim_chunk(session, chunks.list_ready(session, 1)[0], None, -1.0)
        assert claim is not None
    go_back_to(db, released)
    migrate(db)
    check_schema(db)
    run_job(db, running)
    check_sound(db, str(running))
    with db.read() as session:
        assert state(db, training) == JobState.RUNNING
        assert chunks.list_expired(session, 1) == []


def state(db: Database, job: UUID) -> str:
    with db.read() as session:
        return jobs.get_job(session, job).state


def test_a_migration_that_old_workers_would_harm_waits_until_they_are_stopped(db: Database) -> None:
    if db.engine.dialect.name == "sqlite":
        pytest.skip("one machine starts everything anew")
    go_back_to(db, f"{int(FORBIDS_OLD_WORKERS) - 1:04}")
    with db.write() as session:
        worker_id = workers.add_worker(session, 1, "inference", "cpu", {})
    with pytest.raises(Refused, match=f"migration {FORBIDS_OLD_WORKERS} must not run beside them"):
        migrate(db)
    with db.write() as session:
        workers.stop_worker(session, worker_id)
    migrate(db)
    check_schema(db)
