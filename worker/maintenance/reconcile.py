"""What the maintenance worker does every few seconds, so that nothing depends on a message having arrived.

Rings again for chunks whose lease ran out; for ready ones only while the queue is shorter than the workers, or it
would flood the queue. Ends jobs and uploads that nobody came back for, and deletes what was marked as deleted.
"""

import time
from contextlib import suppress

import structlog

from core.base.errors import Gone
from core.cleanup import purge
from core.ingest import imported_files, shard_rows
from core.jobs import chunks, job_states
from core.messaging.broker import INFERENCE, TRAINING, queue_length
from core.operations import workers
from core.operations.metrics import RUNG_AGAIN
from core.training import claims
from core.uploads import uploads
from worker.process.runtime import Runtime

log = structlog.get_logger()

MAX_RINGS = 256
MAX_WAITING = 10_000  # beyond it ringing only fills Redis: what waits there wakes the workers anyway
PURGE_S = 3.0  # of each round, so that a large deletion never keeps it from ringing
ORPHAN_AGE_S = 3600.0
DAY_S = 86_400.0
WORKER_DAYS = 30.0


def reconcile(runtime: Runtime) -> None:
    """One round; safe to run anywhere, any number of times, and several at once."""
    ring_again(runtime)
    ring_for_trainings(runtime)
    finish_silent_uploads(runtime)
    purge_deleted(runtime)


def ring_again(runtime: Runtime) -> None:
    """Ring for chunks that wait although nobody was told, or whose worker fell silent."""
    n_waiting = queue_length(runtime.redis, INFERENCE, runtime.settings.redis_prefix)
    if n_waiting is None or n_waiting > MAX_WAITING:
        return
    with runtime.db.read() as session:
        run_out = chunks.list_run_out(session, MAX_RINGS)
        n_workers = workers.count_alive(session, INFERENCE, runtime.settings.alive_s)
        ready = chunks.list_ready(session, MAX_RINGS) if n_waiting <= n_workers else []
        stuck = job_states.list_finished_but_open(session)
    for job_id in stuck:
        with runtime.db.write() as session:
            job_states.finish_job(session, job_id)
    if run_out or ready:
        log.info("ring_again", run_out=len(run_out), ready=len(ready), waiting=n_waiting)
        runtime.meter.count(RUNG_AGAIN, len(run_out), reason="lease_ran_out")
        runtime.meter.count(RUNG_AGAIN, len(ready), reason="waiting")
        runtime.bell.ring([*run_out, *ready])


def ring_for_trainings(runtime: Runtime) -> None:
    """Ring for trainings that nobody works on, unless the workers have been told of some already."""
    if queue_length(runtime.redis, TRAINING, runtime.settings.redis_prefix) != 0:
        return
    with runtime.db.read() as session:
        waiting = claims.list_waiting(session, MAX_RINGS)
    if waiting:
        log.info("ring_for_trainings", waiting=len(waiting))
        runtime.meter.count(RUNG_AGAIN, len(waiting), reason="training")
        runtime.bell.ring_training(waiting)


def finish_silent_uploads(runtime: Runtime) -> None:
    """Complete, with what arrived, uploads that nothing has been sent to for days."""
    with runtime.db.read() as session:
        silent = uploads.find_silent(session, runtime.settings.silent_days * DAY_S)
    for uuid in silent:
        with suppress(Gone), runtime.db.write() as session:  # somebody deleted it meanwhile
            shard_rows.complete_upload(session, uuid, partial=True)
        log.info("silent_upload_completed", upload=str(uuid))


def purge_deleted(runtime: Runtime) -> None:
    """Remove the rows and bytes of what was deleted."""
    n_purged = purge.purge_all(runtime.db, runtime.blobs, PURGE_S)
    if n_purged:
        log.info("purged", n=n_purged)


def forget_workers(runtime: Runtime) -> None:
    """Remove the rows of workers that ended long ago. Not sooner: a laptop may sleep for days, and its workers wake."""
    with runtime.db.write() as session:
        workers.forget_silent(session, WORKER_DAYS * DAY_S)


def forget_imports(runtime: Runtime) -> None:
    """Forget which files deleted schedules took in, slice by slice."""
    n_forgotten = -1
    while n_forgotten:
        with runtime.db.write() as session:
            n_forgotten = imported_files.forget_deleted(session)


def sweep_orphans(runtime: Runtime) -> None:
    """Delete blobs that an interrupted request left without a row."""
    orphans = list(purge.find_orphans(runtime.db, runtime.blobs, older_than=time.time() - ORPHAN_AGE_S))
    runtime.blobs.delete(orphans)
    if orphans:
        log.info("orphans_deleted", n=len(orphans))
