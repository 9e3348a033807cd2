"""The beat's tick over schedules: whatever has come due begins a run, once, however many beats there are.

    schedules that are due ─► UPDATE … WHERE next_run_at is still that, and a run: one transaction each

Times are those of the database's clock. Nothing is worked on here (worker/schedules/runner.py), so a tick takes
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
    """Begin a run for every schedule that has come due; safe to run any number of times, and several at once.

    Args:
        clock: Tells the present moment.
    Returns:
        How many runs began.
    """
    with db.read() as session:
        now = clock(session)
        due = due_runs.list_due(session, now)
        by_labels = due_runs.list_by_labels(session)
    begun = 0
    for one in due:
        with db.write() as session:
            begun += _tell(due_runs.begin_due(session, one, now))
    for schedule_id in by_labels:
        with db.write() as session:
            begun += _tell(due_runs.begin_by_labels(session, schedule_id, now))
    return begun


def _tell(run: ScheduleRun | None) -> bool:
    if run is None:
        return False
    log.info("schedule_due", schedule_id=run.schedule_id, run_id=run.id, state=run.state, n_due=run.n_due)
    return True
