"""Runs that back up."""

from pathlib import Path

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from core.base.config import Settings
from core.base.database import Database
from core.base.errors import Invalid
from core.base.states import RunState
from core.operations.backup.backup_folder import BackupFolder
from core.orm.schedules import ScheduleRun
from core.schedules import due_runs, schedules
from core.schedules.schedules import NewSchedule
from core.storage.blobs import Blobs
from tests.support.actors import as_owner
from tests.support.fakes import FakeRuntime
from tests.support.used_installation import use_installation
from tests.support.waiting import until
from worker.schedules import run_loop

DATABASES = ("sqlite",)
pytestmark = pytest.mark.folder


@pytest.fixture
def runtime(settings: Settings, db: Database, blobs: Blobs) -> FakeRuntime:
    use_installation(db, blobs)
    return FakeRuntime(settings, db)


def run(runtime: FakeRuntime, name: str = "backup") -> ScheduleRun:
    """A run of a new schedule, from start to end."""
    with runtime.db.write() as session:
        new = NewSchedule(name, "back_up", "0 3 * * *", parameters={"keep_daily": 1, "keep_weekly": 0})
        schedule = schedules.create_schedule(session, as_owner(session), new, [])
        due_runs.run_now(session, as_owner(session), schedule.id)
    run_loop.work_on_runs(runtime)

    def ended() -> ScheduleRun | None:
        with runtime.db.read() as session:
            of_schedule = ScheduleRun.schedule_id == schedule.id
            return session.scalar(select(ScheduleRun).where(of_schedule, ScheduleRun.finished_at.is_not(None)))

    return until(ended)


def test_a_run_makes_a_backup_and_keeps_as_many_as_it_should(runtime: FakeRuntime, tmp_path: Path) -> None:
    folder = BackupFolder(tmp_path / "backups")
    runtime.settings = runtime.settings.model_copy(update={"backup_dir": str(folder.path)})
    ended = run(runtime)
    assert ended.state == RunState.DONE, ended.outcome
    assert ended.outcome.startswith("Backed up ")
    (folder.path / folder.names()[0]).rename(folder.path / "20250101T000000Z")
    assert run(runtime, "another").state == RunState.DONE
    assert len(folder.names()) == 1
    assert folder.names() != ["20250101T000000Z"]


def test_without_a_folder_only_the_log_names_the_setting(runtime: FakeRuntime) -> None:
    with capture_logs() as logs:
        ended = run(runtime)
    assert ended.state == RunState.FAILED
    assert "Tell the person who runs it" in ended.outcome
    assert "PAWSORT" not in ended.outcome
    assert any("PAWSORT_BACKUP_DIR" in entry.get("reason", "") for entry in logs)


def test_a_schedule_that_keeps_nothing_is_refused(runtime: FakeRuntime) -> None:
    new = NewSchedule("backup", "back_up", "0 3 * * *", parameters={"keep_daily": 0, "keep_weekly": 0})
    with pytest.raises(Invalid, match="keep_daily: expected"), runtime.db.write() as session:
        schedules.create_schedule(session, as_owner(session), new, [])
