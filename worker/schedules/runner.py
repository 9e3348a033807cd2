"""Working on runs of schedules, one after the other, on a thread of the maintenance worker beside its quick rounds.

    ready run ─► claim (lease, fence) ─► retrain │ classify │ clean up ─► ended with a sentence, or left to its job

Whatever is killed, the lease runs out and the next claim goes on: see `core/schedules/runs.py`.
"""

import threading
from collections.abc import Callable

import structlog
from sqlalchemy.exc import SQLAlchemyError

from core.base.errors import LeaseLost, PawsortError
from core.base.states import RunState, ScheduleKind
from core.orm.schedules import ScheduleRun
from core.schedules import runs, schedules
from core.schedules.runs import RunClaim
from worker.process.runtime import Runtime
from worker.schedules import classify_new, clean_up, retrain
from worker.schedules.lease import keep_lease

log = structlog.get_logger()

MAX_CLAIMS = 50  # of one run: beyond it something is wrong with the run itself
Work = Callable[[Runtime, RunClaim, ScheduleRun], None]
KINDS: dict[str, Work] = {
    ScheduleKind.RETRAIN: retrain.advance,
    ScheduleKind.CLASSIFY: classify_new.advance,
    ScheduleKind.CLEAN_UP: clean_up.clean_up,
}


class Runner:
    """A thread that works on whatever is ready, and looks again every few seconds."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="schedule-runs", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more; what is being worked on is left, and its lease runs out."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(self._runtime.settings.reconcile_s):
            try:
                work_on_runs(self._runtime)
            except SQLAlchemyError as error:  # a database that is away for a moment
                log.warning("runs_not_read", error=str(error))
            except Exception:  # the thread must outlive whatever a library raises
                log.exception("runs_failed")


def work_on_runs(runtime: Runtime) -> None:
    """Do what there is to do for every run that nobody has; safe to run anywhere, and several at once."""
    with runtime.db.read() as session:
        ready = runs.list_ready(session)
    for run_id in ready:
        with runtime.db.write() as session:
            claim = runs.claim_run(session, run_id, runtime.settings.lease_s)
        if claim is not None:
            _work(runtime, claim)


def _work(runtime: Runtime, claim: RunClaim) -> None:
    """Work on a claimed run; what goes wrong ends it with a sentence, or it is tried again after its lease."""
    try:
        with runtime.db.read() as session:
            run = runs.hold_run(session, claim)
            kind = schedules.get_schedule(session, claim.schedule_id).kind
        with keep_lease(runtime.db, claim, runtime.settings.lease_s, runtime.settings.heartbeat_s):
            KINDS[kind](runtime, claim, run)
    except LeaseLost as error:
        log.info("run_left", run_id=claim.run_id, reason=error.message)
    except PawsortError as error:
        _fail(runtime, claim, error.message)
    except Exception:  # whatever it is, it costs this attempt and not the thread
        log.exception("run_failed", run_id=claim.run_id, claims=claim.fence)
        if claim.fence >= MAX_CLAIMS:
            _fail(runtime, claim, "It failed again and again; the log of the maintenance worker has the reason.")


def _fail(runtime: Runtime, claim: RunClaim, sentence: str) -> None:
    log.warning("run_failed", run_id=claim.run_id, reason=sentence)
    try:
        with runtime.db.write() as session:
            runs.end_run(session, claim, RunState.FAILED, sentence)
    except LeaseLost as error:
        log.info("run_left", run_id=claim.run_id, reason=error.message)
