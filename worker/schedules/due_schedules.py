"""Celery beat's tick: every due schedule starts one run, no matter how many beat processes there are.

    due schedules ─► UPDATE … WHERE next_run_at is unchanged, and a run: one transaction each

Times are those of the database's clock. The tick does no work itself (worker/schedules/run_loop.py does), so it takes
milliseconds.
"""

from collections.abc import Callable
from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from core.base.database import Database
from core.orm.schedules import ScheduleRun
from core.schedules import due_runs, schedules

log = structlog.get_logger()

Clock = Callable[[Session], datetime]


def tick(db: Database, clock: Clock = schedules.read_clock) -> int:
    """Start a run for every due schedule. It is safe to run it any number of times and concurrently.

    Args:
        db: The database.
        clock: Returns the current time.
    Returns:
        The number of runs that started.
    """
    with db.read() as session:
        now = clock(session)
        ahead = due_runs.list_ahead(session, now)
        due = due_runs.list_due(session, now)
        by_labels = due_runs.list_by_labels(session)
    for schedule_ahead in ahead:
        with db.write() as session:
            due_runs.follow_clock(session, schedule_ahead)
    n_started = 0
    for schedule in due:
        with db.write() as session:
            n_started += _log(due_runs.begin_due(session, schedule, now))
    for schedule_id in by_labels:
        with db.write() as session:
            n_started += _log(due_runs.begin_by_labels(session, schedule_id, now))
    return n_started


def _log(run: ScheduleRun | None) -> bool:
    if run is None:
        return False
    log.info("schedule_due", schedule_id=run.schedule_id, run_id=run.id, state=run.state, n_due=run.n_due)
    return True
