"""A thread of each web process that writes what it has counted: no request waits for that."""

import atexit
import threading

import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from web.http.context import EXTENSION, Services

WRITE_S = 10.0

log = structlog.get_logger("web")


def count_beside(app: Flask) -> None:
    """Write every few seconds, and once more at the end of the process. Called where a process serves requests."""
    services: Services = app.extensions[EXTENSION]
    threading.Thread(target=_write_on, args=(services,), name="counting", daemon=True).start()
    atexit.register(_write, services)


def _write_on(services: Services) -> None:
    waiting = threading.Event()
    while not waiting.wait(WRITE_S):
        _write(services)


def _write(services: Services) -> None:
    try:
        services.meter.flush(services.db)
    except SQLAlchemyError as error:  # it is kept for the next time
        log.warning("counts_not_written", error=str(error).splitlines()[0])
