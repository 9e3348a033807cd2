"""Runs that clean up: they delete old jobs, then the oldest until the disk space is below a limit.

Each job is deleted in a transaction of its own that counts it in the run's row, so a run that was killed resumes its
count.
"""

from collections.abc import Callable, Iterable
from uuid import UUID

from sqlalchemy.orm import Session

from core.accounts.rights import Actor
from core.base.errors import Gone
from core.base.states import RunState
from core.cleanup import retention
from core.orm.schedules import ScheduleRun
from core.schedules import runs
from core.schedules.runs import RunClaim
from worker.process.runtime import Runtime


def clean_up(runtime: Runtime, claim: RunClaim, run: ScheduleRun, actor: Actor) -> None:
    """Do a claimed clean-up run.

    Raises:
        LeaseLost: The claim is no longer valid.
    """
    parameters = run.parameters
    days, below, keeps = parameters["older_than_days"], parameters["below_bytes"], parameters["keep_labelled"]
    if days is not None:
        _remove(runtime, claim, actor, _read(runtime, lambda session: retention.list_old(session, days, keeps)))
    if below is not None:
        for uuid in _read(runtime, lambda session: retention.list_oldest(session, keeps)):
            if _count_bytes(runtime) <= below:
                break
            _remove(runtime, claim, actor, [uuid])
    n_left = _count_bytes(runtime)
    with runtime.db.write() as session:
        details = runs.hold_run(session, claim).details
        n_jobs, n_bytes = details.get("n_jobs", 0), details.get("n_bytes", 0)
        outcome = _outcome(n_jobs, n_bytes, n_left, below)
        runs.end_run(session, claim, RunState.DONE, outcome, n_jobs=n_jobs, n_bytes=n_bytes, n_left=n_left)
    runtime.tasks.send_purge()


def _remove(runtime: Runtime, claim: RunClaim, actor: Actor, uuids: Iterable[UUID]) -> None:
    for uuid in uuids:
        with runtime.db.write() as session:
            try:
                removed = retention.remove(session, actor, uuid)
            except Gone:  # deleted in the meantime
                continue
            if removed is not None:
                run = runs.hold_run(session, claim)
                n_jobs, n_bytes = run.details.get("n_jobs", 0), run.details.get("n_bytes", 0)
                runs.note(run, n_jobs=n_jobs + 1, n_bytes=n_bytes + removed.n_bytes)


def _read(runtime: Runtime, find: Callable[[Session], list[UUID]]) -> list[UUID]:
    with runtime.db.read() as session:
        return find(session)


def _count_bytes(runtime: Runtime) -> int:
    with runtime.db.read() as session:
        return retention.count_bytes(session)


def _outcome(n_jobs: int, n_bytes: int, n_left: int, below: int | None) -> str:
    text = f"{n_jobs} {'job was' if n_jobs == 1 else 'jobs were'} deleted, {_megabytes(n_bytes)} of pictures with them."
    if not n_jobs:
        text = "There was nothing to delete."
    if below is not None and n_left > below:
        text += (
            f" {_megabytes(n_left)} are left, above the limit of {_megabytes(below)}: the rest is labelled, named by a"
            " schedule, used by a training, or still in progress."
        )
    return text


def _megabytes(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:,.1f} MB"
