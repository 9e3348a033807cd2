"""Discarding originals on a thread of the maintenance worker, because making previews takes time."""

import threading

import structlog
from sqlalchemy.exc import SQLAlchemyError

from core.base.errors import PawsortError
from core.cleanup import discard_originals
from worker.process.runtime import Runtime

log = structlog.get_logger()

AT_ONCE_S = 60.0  # then newly ready uploads are looked for again


def start(runtime: Runtime) -> threading.Thread:
    """Start a thread that discards originals every few seconds until the process ends."""
    thread = threading.Thread(target=_run, args=(runtime,), name="discarding", daemon=True)
    thread.start()
    return thread


def _run(runtime: Runtime) -> None:
    pause = threading.Event()
    while not pause.wait(runtime.settings.reconcile_s):
        try:
            discard(runtime)
        except (SQLAlchemyError, PawsortError, OSError) as error:  # a server that does not answer for a moment
            log.warning("discarding_waits", error=str(error))
        except Exception:  # the thread must survive any error of a library
            log.exception("discarding_failed")


def discard(runtime: Runtime) -> None:
    """One round. It is safe to run it anywhere, any number of times and concurrently."""
    n_uploads = discard_originals.mark_ready(runtime.db)
    n_shards = discard_originals.remove_originals(runtime.db, runtime.blobs, runtime.decoders, AT_ONCE_S)
    if n_uploads or n_shards:
        log.info("originals_discarded", uploads=n_uploads, shards=n_shards)
