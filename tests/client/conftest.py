"""The real application behind a real port, and a training worker in a thread."""

import threading
from collections.abc import Iterator

import pytest
import structlog

from core.base.config import Settings
from core.base.database import Database
from core.training import claims
from tests.support.browser.site import served
from tests.support.fakes import FakeRuntime
from web.app import App
from worker.training import train_network


@pytest.fixture
def address(app: App) -> Iterator[str]:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())  # what a command prints is its own
    with served(app) as address:
        yield address
    structlog.reset_defaults()


@pytest.fixture
def worker(settings: Settings, db: Database) -> Iterator[None]:
    """Trains whatever waits."""
    stop, runtime = threading.Event(), FakeRuntime(settings, db)

    def work() -> None:
        while not stop.wait(0.05):
            with db.read() as session:
                waiting = claims.list_waiting(session, 1)
            for job_id in waiting:
                train_network.train(runtime, job_id)

    thread = threading.Thread(target=work)
    thread.start()
    yield
    stop.set()
    thread.join()
