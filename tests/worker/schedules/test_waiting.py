"""A run whose server is away waits for it, and loses no attempt; it goes on when its lease has run out."""

import psycopg
import pytest
from sqlalchemy import update
from sqlalchemy.exc import InternalError, OperationalError

from core.base.clock import db_now
from core.base.errors import Unavailable
from core.base.states import RunState, ScheduleKind
from core.orm.schedules import ScheduleRun
from core.schedules import due_runs, schedules
from core.schedules.schedules import NewSchedule
from tests.support.actors import as_owner
from tests.support.fakes import FakeRuntime
from worker.schedules import clean_up, run_loop

DATABASES = ("sqlite",)  # nothing here depends on the kind
ERRORS: dict[str, Exception] = {
    "the store": Unavailable("The blob store does not answer."),
    "the database": OperationalError("", {}, psycopg.OperationalError("the server closed the connection")),
    "a standby": InternalError("", {}, psycopg.errors.ReadOnlySqlTransaction("read-only transaction")),
}


def work(runtime: FakeRuntime, run_id: int) -> ScheduleRun:
    run_loop.work_on_runs(runtime)  # type: ignore[arg-type]
    with runtime.db.read() as session:
        return session.get_one(ScheduleRun, run_id)


@pytest.mark.parametrize("away", ERRORS)
def test_a_run_waits_for_a_server_that_is_away(
    runtime: FakeRuntime, away: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ERRORS[away]

    with runtime.db.write() as session:
        new = NewSchedule("Clean", "clean_up", "0 3 * * *", parameters={"older_than_days": 9})
        schedule = schedules.create_schedule(session, as_owner(session), new, [])
        run_id = due_runs.run_now(session, as_owner(session), schedule.id).id
    monkeypatch.setitem(run_loop.KINDS, ScheduleKind.CLEAN_UP, fail)
    waits = work(runtime, run_id)
    assert (waits.state, waits.attempts) == (RunState.WAITING, 0)
    monkeypatch.setitem(run_loop.KINDS, ScheduleKind.CLEAN_UP, clean_up.clean_up)
    with runtime.db.write() as session:
        session.execute(update(ScheduleRun).values(lease_until=db_now()))
    assert work(runtime, run_id).state == RunState.DONE
