"""The maintenance worker's rounds, every few seconds, so that no work depends on the arrival of a message.

A round requeues chunks whose lease expired. It requeues ready chunks only while fewer messages wait than there are
workers; otherwise it would flood the queue. It also ends finished jobs and inactive uploads, and deletes what is marked
as deleted.
"""

import time
from contextlib import suppress

import structlog
from sqlalchemy.exc import ProgrammingError

from core.accounts import audit_pruning
from core.base.clock import DAY_S
from core.base.errors import Gone
from core.cleanup import purge
from core.ingest import imported_files, shard_rows
from core.jobs import chunks, job_states
from core.messaging.broker import INFERENCE, TRAINING, queue_length
from core.models import conversions
from core.operations import workers
from core.operations.metrics import REQUEUED
from core.training import claims
from core.uploads import uploads
from core.webhooks import deliveries, endpoints
from core.webhooks.encryption import SecretCipher
from worker.process.runtime import Runtime

log = structlog.get_logger()

MAX_REQUEUED = 256
MAX_WAITING = 10_000  # messages; more would only fill Redis, since the waiting ones keep the workers busy
PURGE_S = 3.0  # in each round, so a large deletion does not delay requeueing
ORPHAN_AGE_S = 3600.0
WORKER_DAYS = 30.0


def reconcile(runtime: Runtime) -> None:
    """One round. It is safe to run it anywhere, any number of times and concurrently."""
    requeue_chunks(runtime)
    requeue_trainings(runtime)
    request_conversions(runtime)
    complete_inactive_uploads(runtime)
    purge_deleted(runtime)


def requeue_chunks(runtime: Runtime) -> None:
    """Requeue ready chunks without a message, and chunks whose worker stopped sending heartbeats."""
    n_waiting = queue_length(runtime.redis, INFERENCE, runtime.settings.redis_prefix)
    if n_waiting is None or n_waiting > MAX_WAITING:
        return
    with runtime.db.read() as session:
        run_out = chunks.list_expired(session, MAX_REQUEUED)
        n_workers = workers.count_alive(session, INFERENCE, runtime.settings.alive_s)
        ready = chunks.list_ready(session, MAX_REQUEUED) if n_waiting <= n_workers else []
        stuck = job_states.list_finished_but_open(session)
    for job_id in stuck:
        with runtime.db.write() as session:
            job_states.finish_job(session, job_id)
    if run_out or ready:
        log.info("ring_again", run_out=len(run_out), ready=len(ready), waiting=n_waiting)
        runtime.meter.count(REQUEUED, len(run_out), reason="lease_ran_out")
        runtime.meter.count(REQUEUED, len(ready), reason="waiting")
        runtime.tasks.wake_inference(len(run_out) + len(ready))


def requeue_trainings(runtime: Runtime) -> None:
    """Requeue trainings that no worker holds, unless messages are already waiting."""
    if queue_length(runtime.redis, TRAINING, runtime.settings.redis_prefix) != 0:
        return
    with runtime.db.read() as session:
        waiting = claims.list_waiting(session, MAX_REQUEUED)
    if waiting:
        log.info("ring_for_trainings", waiting=len(waiting))
        runtime.meter.count(REQUEUED, len(waiting), reason="training")
        runtime.tasks.send_trainings(waiting)


def request_conversions(runtime: Runtime) -> None:
    """Have versions converted that were made before Pawsort converted them, once a training worker is free."""
    with runtime.db.read() as session:
        missing = conversions.list_missing(session)
    if missing and queue_length(runtime.redis, TRAINING, runtime.settings.redis_prefix) == 0:
        log.info("conversion_requested", versions=missing)
        runtime.tasks.send_conversion()


def complete_inactive_uploads(runtime: Runtime) -> None:
    """Complete uploads that have received no file for days, with the files that arrived."""
    with runtime.db.read() as session:
        inactive = uploads.find_inactive(session, runtime.settings.silent_days * DAY_S)
    for uuid in inactive:
        with suppress(Gone), runtime.db.write() as session:  # deleted in the meantime
            shard_rows.complete_silent(session, uuid)
        log.info("silent_upload_completed", upload=str(uuid))


def purge_deleted(runtime: Runtime) -> None:
    """Delete the rows and blobs of everything marked as deleted."""
    n_purged = purge.purge_all(runtime.db, runtime.blobs, PURGE_S)
    if n_purged:
        log.info("purged", n=n_purged)


def delete_old_workers(runtime: Runtime) -> None:
    """Delete the rows of workers that ended long ago. Not sooner: a laptop may sleep for days and then continue."""
    with runtime.db.write() as session:
        workers.delete_silent(session, WORKER_DAYS * DAY_S)


def prune_audit_log(runtime: Runtime) -> None:
    """Delete old entries of the audit log, where the database lets this role do it."""
    try:
        n_entries = audit_pruning.prune(runtime.db, runtime.settings.audit_log_days)
    except ProgrammingError as error:
        log.warning("audit_log_not_pruned", error=str(error.orig), remedy="give this worker the maintenance role")
        return
    if n_entries:
        log.info("audit_log_pruned", n=n_entries)


def prune_webhook_deliveries(runtime: Runtime) -> None:
    """Delete what was sent long ago, and everything of deleted webhooks, in small steps."""
    n_deleted = -1
    while n_deleted:
        with runtime.db.write() as session:
            n_deleted = deliveries.prune(session, runtime.settings.webhook_log_days)


def encrypt_webhook_secrets(runtime: Runtime) -> None:
    """Encrypt secrets with the newest key, where this worker has it: see `endpoints.renew_encryption`."""
    cipher = SecretCipher.from_settings(runtime.settings)
    if not cipher.has_key:
        return
    with runtime.db.write() as session:
        n_encrypted = endpoints.renew_encryption(session, cipher)
    if n_encrypted:
        log.info("webhook_secrets_encrypted", n=n_encrypted)


def delete_import_records(runtime: Runtime) -> None:
    """Delete the records of files that deleted schedules imported, in small steps."""
    n_deleted = -1
    while n_deleted:
        with runtime.db.write() as session:
            n_deleted = imported_files.forget_deleted(session)


def delete_orphans(runtime: Runtime) -> None:
    """Delete blobs without a row, left by interrupted requests."""
    n_deleted = purge.delete_orphans(runtime.db, runtime.blobs, older_than=time.time() - ORPHAN_AGE_S)
    if n_deleted:
        log.info("orphans_deleted", n=n_deleted)
