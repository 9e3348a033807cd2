"""A thread in each web process that writes the process's counters, so that no request waits for it."""

import atexit
import threading

import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from web.http.context import EXTENSION, Services

WRITE_S = 10.0

log = structlog.get_logger("web")


def write_periodically(app: Flask) -> None:
    """Write every few seconds, and once more at the end of the process; for processes that serve requests."""
    services: Services = app.extensions[EXTENSION]
    threading.Thread(target=_write_on, args=(services,), name="metrics-writer", daemon=True).start()
    atexit.register(_write, services)


def _write_on(services: Services) -> None:
    waiting = threading.Event()
    while not waiting.wait(WRITE_S):
        _write(services)


def _write(services: Services) -> None:
    try:
        services.meter.flush(services.db)
    except SQLAlchemyError as error:  # the counts are kept until the next time
        log.warning("counts_not_written", error=str(error).splitlines()[0])
