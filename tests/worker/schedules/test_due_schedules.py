"""The beat's tick: each due time runs once, whatever beats and clocks do."""

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from core.base.database import Database
from core.base.states import OPEN_RUN_STATES, RunState
from core.orm.labels import Label
from core.orm.schedules import Schedule, ScheduleRun
from core.schedules import due_runs, schedules
from core.schedules.schedules import NewSchedule
from tests.support.actors import as_owner
from worker.schedules import due_schedules

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
CLEAN_UP = {"older_than_days": 30}


class FakeClock:
    """A clock that shows what it is told to."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self, session: Session) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    fake = FakeClock()
    monkeypatch.setattr(schedules, "read_clock", fake)
    return fake


def add_schedule(db: Database, cron: str | None = "*/15 * * * *", zone: str = "UTC", **more: object) -> int:
    kind, parameters = ("clean_up", CLEAN_UP) if cron else ("retrain", {})
    with db.write() as session:
        name = f"schedule {len(schedules.list_schedules(session).items)}"
        wanted = NewSchedule(name, kind, cron, zone, parameters=parameters, **more)  # type: ignore[arg-type]
        return schedules.create_schedule(session, as_owner(session), wanted, []).id


def finish_runs(db: Database) -> None:
    """End whatever goes on, as a worker does that has done it."""
    with db.write() as session:
        session.execute(update(ScheduleRun).where(ScheduleRun.state.in_(OPEN_RUN_STATES)).values(state=RunState.DONE))


def runs_of(db: Database, schedule_id: int) -> list[ScheduleRun]:
    with db.read() as session:
        query = select(ScheduleRun).where(ScheduleRun.schedule_id == schedule_id).order_by(ScheduleRun.id)
        return list(session.scalars(query))


def due_times(db: Database, schedule_id: int) -> list[str]:
    return [f"{run.due_at:%H:%M}" for run in runs_of(db, schedule_id)]


def tick_for(db: Database, clock: FakeClock, minutes: int, step_s: int = 30) -> None:
    for _ in range(minutes * 60 // step_s):
        clock.move(seconds=step_s)
        due_schedules.tick(db, clock)
        finish_runs(db)


def tick_at_once(dbs: Sequence[Database], clock: FakeClock, n_ticks: int, step_s: int) -> None:
    """Let one beat for each database connection tick at the very same moments."""

    def between_ticks() -> None:
        finish_runs(dbs[0])
        clock.move(seconds=step_s)

    barrier = threading.Barrier(len(dbs), between_ticks)

    def beat(db: Database) -> None:
        for _ in range(n_ticks):
            barrier.wait()
            due_schedules.tick(db, clock)

    threads = [threading.Thread(target=beat, args=(db,)) for db in dbs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_two_beats_at_once_for_200_ticks_begin_each_run_of_20_schedules_once(
    db: Database, sql_url: str, clock: FakeClock
) -> None:
    every = {add_schedule(db, f"*/{n} * * * *" if n > 1 else "* * * * *"): n for n in range(1, 21)}
    other = Database(sql_url)
    tick_at_once([db, other], clock, n_ticks=200, step_s=30)
    other.close()
    end = NOON + timedelta(minutes=100)
    for schedule_id, n in every.items():
        moments = [NOON + timedelta(minutes=minute) for minute in range(1, 101)]
        expected = [moment for moment in moments if moment.minute % n == 0 and moment <= end]
        runs = runs_of(db, schedule_id)
        assert [run.due_at for run in runs] == expected
        assert all(run.n_due == 1 and not run.is_late for run in runs)


def test_a_clock_set_back_by_an_hour_silences_no_schedule_and_repeats_no_daily_run(
    db: Database, clock: FakeClock
) -> None:
    often, daily = add_schedule(db, "*/5 * * * *"), add_schedule(db, "30 12 * * *")
    tick_for(db, clock, 40)
    clock.move(hours=-1)
    tick_for(db, clock, 60)
    assert len(runs_of(db, daily)) == 1
    began = [run.due_at for run in runs_of(db, often)]
    assert len(began) == len(set(began)) >= 8 + 10


def test_what_a_stopped_beat_missed_runs_once_late_and_says_how_much(db: Database, clock: FakeClock) -> None:
    schedule = add_schedule(db)
    tick_for(db, clock, 16)
    clock.move(minutes=45)  # 12:30, 12:45 and 13:00 pass
    tick_for(db, clock, 15)
    assert due_times(db, schedule) == ["12:15", "12:30", "13:15"]
    assert [(run.n_due, run.is_late) for run in runs_of(db, schedule)] == [(1, False), (3, True), (1, False)]


def test_a_beat_that_was_down_for_a_day_runs_a_nightly_schedule_once_and_late(db: Database, clock: FakeClock) -> None:
    schedule = add_schedule(db, "0 3 * * *")
    clock.move(days=1)
    due_schedules.tick(db, clock)
    due_schedules.tick(db, clock)
    (run,) = runs_of(db, schedule)
    assert (run.due_at, run.n_due, run.is_late) == (datetime(2026, 11, 3, 3, tzinfo=UTC), 1, True)


def test_a_clock_set_forward_and_back_an_hour_loses_and_silences_nothing(db: Database, clock: FakeClock) -> None:
    schedule = add_schedule(db)
    tick_for(db, clock, 5)
    clock.move(hours=1)  # 13:05: four due times at once
    tick_for(db, clock, 5)
    clock.move(hours=-1)  # 12:10
    tick_for(db, clock, 80)
    assert due_times(db, schedule) == ["12:15", "12:30", "12:45", "13:00", "13:15", "13:30"]
    assert [run.n_due for run in runs_of(db, schedule)] == [4, 1, 1, 1, 1, 1]


def test_a_schedule_follows_a_clock_set_back_before_its_first_due_time(db: Database, clock: FakeClock) -> None:
    schedule = add_schedule(db)
    clock.move(hours=-1)
    tick_for(db, clock, 76)
    assert due_times(db, schedule) == ["11:15", "11:30", "11:45", "12:00", "12:15"]


def test_an_edit_while_the_clock_is_set_back_repeats_no_run(db: Database, clock: FakeClock) -> None:
    schedule = add_schedule(db)
    tick_for(db, clock, 20)
    clock.move(minutes=-10)
    with db.write() as session:
        schedules.update_schedule(session, as_owner(session), schedule, {"time_zone": "Europe/Berlin"}, [])
    tick_for(db, clock, 25)
    assert due_times(db, schedule) == ["12:15", "12:30"]


@pytest.mark.parametrize(
    ("evening", "due"),
    [
        ("2026-03-28T22:00", ["29 01:30", "29 03:00", "30 01:30", "30 02:30"]),
        ("2026-10-24T22:00", ["25 01:30", "25 02:30", "26 01:30"]),
    ],
)
def test_each_time_runs_once_on_nights_that_clocks_change(
    db: Database, clock: FakeClock, evening: str, due: list[str]
) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    clock.now = datetime.fromisoformat(evening).replace(tzinfo=berlin).astimezone(UTC)
    schedule = add_schedule(db, "30 1,2 * * *", "Europe/Berlin")
    tick_for(db, clock, 60 * 29, step_s=300)
    assert [f"{run.due_at.astimezone(berlin):%d %H:%M}" for run in runs_of(db, schedule)] == due


def test_a_schedule_whose_run_goes_on_is_not_started_again(db: Database, clock: FakeClock) -> None:
    schedule = add_schedule(db)
    for _ in range(2):
        clock.move(minutes=15)
        due_schedules.tick(db, clock)
    first, second = runs_of(db, schedule)
    assert (first.state, second.state) == (RunState.WAITING, RunState.SKIPPED)
    assert second.outcome.startswith(f"Skipped: run {first.id}")
    finish_runs(db)
    clock.move(minutes=15)
    due_schedules.tick(db, clock)
    assert runs_of(db, schedule)[-1].state == RunState.WAITING


def test_a_paused_or_deleted_schedule_does_not_run_and_a_resumed_one_misses_nothing_late(
    db: Database, clock: FakeClock
) -> None:
    paused, deleted = add_schedule(db), add_schedule(db)
    with db.write() as session:
        schedules.update_schedule(session, as_owner(session), paused, {"is_on": False}, [])
        schedules.delete_schedule(session, as_owner(session), deleted)
    tick_for(db, clock, 20)
    with db.write() as session:
        schedules.update_schedule(session, as_owner(session), paused, {"is_on": True}, [])
    tick_for(db, clock, 20)
    assert due_times(db, deleted) == []
    assert [(run.n_due, run.is_late) for run in runs_of(db, paused)] == [(1, False)]


def test_a_schedule_that_waits_for_labels_runs_when_so_many_contents_are_labelled(
    db: Database, clock: FakeClock
) -> None:
    def label(first: int, n: int) -> None:
        contents = [bytes([number]) * 32 for number in range(first, first + n)]
        rows = [{"sha256": one, "label": "cat", "source": "correction"} for one in contents]
        with db.write() as session:
            session.execute(insert(Label), rows)

    label(0, 5)  # before there was a schedule
    schedule = add_schedule(db, None, every_n_labels=4)
    label(10, 3)
    label(10, 3)  # the same contents again are no new ones
    assert due_schedules.tick(db, clock) == 0
    label(20, 1)
    assert [due_schedules.tick(db, clock), due_schedules.tick(db, clock)] == [1, 0]
    finish_runs(db)
    label(30, 4)
    clock.move(seconds=5)
    assert due_schedules.tick(db, clock) == 1
    assert len(runs_of(db, schedule)) == 2


def test_a_schedule_that_was_edited_while_it_came_due_goes_by_what_it_says_now(db: Database, clock: FakeClock) -> None:
    schedule = add_schedule(db)
    clock.move(minutes=15)
    with db.read() as session:
        (due,) = due_runs.list_due(session, clock.now)
    with db.write() as session:
        schedules.update_schedule(session, as_owner(session), schedule, {"name": "another"}, [])
        assert due_runs.begin_due(session, due, clock.now) is None
    assert [due_schedules.tick(db, clock), due_schedules.tick(db, clock)] == [1, 0]


def test_a_schedule_that_cannot_be_read_any_more_keeps_no_other_from_running(db: Database, clock: FakeClock) -> None:
    broken, whole = add_schedule(db), add_schedule(db)
    with db.write() as session:
        session.execute(update(Schedule).where(Schedule.id == broken).values(time_zone="Europe/Atlantis"))
    clock.move(minutes=15)
    assert due_schedules.tick(db, clock) == 1
    assert due_times(db, whole) == ["12:15"]


def test_the_databases_own_clock_is_asked_where_nobody_gives_another(db: Database) -> None:
    schedule = add_schedule(db)
    with db.write() as session:
        session.execute(update(Schedule).values(next_run_at=datetime.now(UTC) - timedelta(seconds=5)))
    assert [due_schedules.tick(db), due_schedules.tick(db)] == [1, 0]
    assert len(runs_of(db, schedule)) == 1
