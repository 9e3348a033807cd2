"""Schedules act as the person who made them."""

import pytest

from core.accounts import people
from core.accounts.rights import Role
from core.base.database import Database
from core.orm.schedules import ScheduleRun
from core.schedules import due_runs, schedules
from core.schedules.schedules import NewSchedule
from tests.support.actors import as_owner, as_person
from tests.support.fakes import FakeRuntime
from worker.schedules import run_loop

DATABASES = ("sqlite",)  # nothing here depends on the kind


@pytest.fixture
def schedule_id(runtime: FakeRuntime) -> int:
    """A schedule of Ada's, an admin."""
    with runtime.db.write() as session:
        as_person(session, "ada")
        people.set_role(session, as_owner(session), "ada", Role.ADMIN)
        new = NewSchedule("Clean", "clean_up", "0 3 * * *", parameters={"older_than_days": 9})
        return schedules.create_schedule(session, as_person(session, "ada"), new, []).id


def run(db: Database, runtime: FakeRuntime, schedule_id: int) -> ScheduleRun:
    """A run that was due, and so acts as the person of the schedule."""
    with db.write() as session:
        begun = due_runs.run_now(session, as_owner(session), schedule_id)
        begun.user_id = None
        run_id = begun.id
    run_loop.work_on_runs(runtime)  # type: ignore[arg-type]
    with db.read() as session:
        return session.get_one(ScheduleRun, run_id)


def test_a_run_of_an_admin_is_carried_out(runtime: FakeRuntime, schedule_id: int) -> None:
    assert run(runtime.db, runtime, schedule_id).state == "done"


@pytest.mark.parametrize(("change", "why"), [("disable", "is disabled"), ("demote", "is no longer an admin")])
def test_a_run_of_somebody_who_may_not_ends_and_says_so(
    runtime: FakeRuntime, schedule_id: int, change: str, why: str
) -> None:
    with runtime.db.write() as session:
        if change == "disable":
            people.disable(session, as_owner(session), "ada")
        else:
            people.set_role(session, as_owner(session), "ada", Role.MEMBER)
    ended = run(runtime.db, runtime, schedule_id)
    assert ended.state == "failed"
    assert f"acts as “ada”, who {why}" in (ended.outcome or "")
    assert "pawsort user hand-over ada" in (ended.outcome or "")
