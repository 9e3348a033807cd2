"""The thread of the maintenance worker that works on runs of schedules, one after the other.

    ready run ─► claim (lease, fence) ─► retrain │ classify │ clean up │ back up ─► ended, or waiting for its job

After a kill the lease expires and the next claim continues: see `core/schedules/runs.py`.
"""

import threading
from collections.abc import Callable

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core.accounts.rights import Actor
from core.base.database import is_away
from core.base.errors import ConfigError, LeaseLost, PawsortError, Unavailable
from core.base.leases import MAX_ATTEMPTS
from core.base.states import RunState, ScheduleKind
from core.orm.schedules import Schedule, ScheduleRun
from core.schedules import imports, runs, schedules
from core.schedules.runs import RunClaim
from worker.process.runtime import Runtime
from worker.schedules import back_up, classify_new, clean_up, retrain
from worker.schedules.run_lease import keep_lease

log = structlog.get_logger()

Work = Callable[[Runtime, RunClaim, ScheduleRun, Actor], None]
KINDS: dict[str, Work] = {
    ScheduleKind.RETRAIN: retrain.advance,
    ScheduleKind.CLASSIFY: classify_new.advance,
    ScheduleKind.CLEAN_UP: clean_up.clean_up,
    ScheduleKind.BACK_UP: back_up.back_up,
}
LONG = frozenset((ScheduleKind.BACK_UP,))  # these, and imports, get a thread of their own: other runs need not wait


class RunLoop:
    """A thread that works on all ready runs every few seconds."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="schedule-runs", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the current run. If the process ends before, the lease of the run expires."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(self._runtime.settings.reconcile_s):
            try:
                work_on_runs(self._runtime)
            except SQLAlchemyError as error:  # a database that does not answer for a moment
                log.warning("runs_not_read", error=str(error))
            except Exception:  # the thread must survive any error of a library
                log.exception("runs_failed")


def work_on_runs(runtime: Runtime) -> None:
    """Work on every ready run that no worker holds. It is safe to run it anywhere and concurrently."""
    with runtime.db.read() as session:
        ready = runs.list_ready(session)
    for run_id in ready:
        with runtime.db.write() as session:
            claim = runs.claim_run(session, run_id, runtime.settings.lease_s)
            is_long = claim is not None and _is_long(session, claim)
        if claim is not None and is_long:
            threading.Thread(target=_work, args=(runtime, claim), name="long-run", daemon=True).start()
        elif claim is not None:
            _work(runtime, claim)


def _is_long(session: Session, claim: RunClaim) -> bool:
    schedule = session.get_one(Schedule, claim.schedule_id)
    return schedule.kind in LONG or schedule.is_import


def _work(runtime: Runtime, claim: RunClaim) -> None:
    """Work on a claimed run. A known error ends it with a message; any other error is retried after its lease."""
    try:
        with runtime.db.write() as session:
            run = runs.hold_run(session, claim)
            actor = runs.find_actor(session, run)
            kind = schedules.get_kind(session, claim.schedule_id)
        with keep_lease(runtime.db, claim, runtime.settings.lease_s, runtime.settings.heartbeat_s):
            KINDS[kind](runtime, claim, run, actor)
    except LeaseLost as error:
        log.info("run_left", run_id=claim.run_id, reason=error.message)
    except ConfigError as error:  # a setting to correct
        log.warning("setting_refused", run_id=claim.run_id, reason=error.message)
        _fail(runtime, claim, error.message_for_people)
    except Unavailable as error:  # a server that does not answer for a moment: tried again when the lease has run out
        log.warning("run_waits", run_id=claim.run_id, reason=error.message)
    except PawsortError as error:
        _fail(runtime, claim, error.message)
    except Exception as error:  # any other error costs this attempt, not the thread
        if is_away(error):
            log.warning("run_waits", run_id=claim.run_id, reason=str(error))
            return
        log.exception("run_failed", run_id=claim.run_id)
        _count_error(runtime, claim)


def _count_error(runtime: Runtime, claim: RunClaim) -> None:
    try:
        with runtime.db.write() as session:
            n_failed = runs.release_after_error(session, claim)
    except LeaseLost as error:
        log.info("run_left", run_id=claim.run_id, reason=error.message)
        return
    if n_failed >= MAX_ATTEMPTS:
        _fail(runtime, claim, "It failed repeatedly. The log of the maintenance worker shows why.")


def _fail(runtime: Runtime, claim: RunClaim, sentence: str) -> None:
    log.warning("run_failed", run_id=claim.run_id, reason=sentence)
    try:
        with runtime.db.write() as session:
            if session.get_one(Schedule, claim.schedule_id).is_import:
                imports.fail_import(session, claim.schedule_id, sentence)
            runs.end_run(session, claim, RunState.FAILED, sentence)
    except LeaseLost as error:
        log.info("run_left", run_id=claim.run_id, reason=error.message)
