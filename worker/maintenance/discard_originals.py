"""Discarding originals on a thread of the maintenance worker, beside its rounds: small pictures take their time."""

import threading

import structlog
from sqlalchemy.exc import SQLAlchemyError

from core.base.errors import PawsortError
from core.cleanup import discard_originals
from worker.process.runtime import Runtime

log = structlog.get_logger()

AT_ONCE_S = 60.0  # then it is looked again for uploads that have become ready


def start(runtime: Runtime) -> threading.Thread:
    """Discard what may be discarded, every few seconds, for as long as the process lives."""
    thread = threading.Thread(target=_run, args=(runtime,), name="discarding", daemon=True)
    thread.start()
    return thread


def _run(runtime: Runtime) -> None:
    pause = threading.Event()
    while not pause.wait(runtime.settings.reconcile_s):
        try:
            discard(runtime)
        except (SQLAlchemyError, PawsortError, OSError) as error:  # a server that is away for a moment
            log.warning("discarding_waits", error=str(error))
        except Exception:  # the thread must outlive whatever a library raises
            log.exception("discarding_failed")


def discard(runtime: Runtime) -> None:
    """One round; safe to run anywhere, any number of times, and several at once."""
    n_uploads = discard_originals.mark_ready(runtime.db)
    max_pixels = runtime.settings.max_image_pixels
    n_shards = discard_originals.remove_originals(runtime.db, runtime.blobs, max_pixels, AT_ONCE_S)
    if n_uploads or n_shards:
        log.info("originals_discarded", uploads=n_uploads, shards=n_shards)
