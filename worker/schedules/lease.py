"""Keeping a claimed run while it is worked on: a thread renews its lease, so that nobody else takes it for left."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy.exc import SQLAlchemyError

from core.base.database import Database
from core.base.errors import LeaseLost
from core.schedules import runs
from core.schedules.runs import RunClaim

log = structlog.get_logger()

BEATS_PER_LEASE = 3


@contextmanager
def keeping(db: Database, claim: RunClaim, lease_s: float) -> Iterator[None]:
    """Renew the lease of a claimed run while the block runs; what is killed stops renewing."""
    ended = threading.Event()
    thread = threading.Thread(target=_renew, args=(db, claim, lease_s, ended), name="run-lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _renew(db: Database, claim: RunClaim, lease_s: float, ended: threading.Event) -> None:
    while not ended.wait(lease_s / BEATS_PER_LEASE):
        try:
            with db.write() as session:
                runs.renew_lease(session, claim, lease_s)
        except LeaseLost:  # it has ended, or belongs to somebody else: the next write of the work itself notices
            return
        except SQLAlchemyError as error:  # a database that is away for a moment
            log.warning("run_lease_not_renewed", run_id=claim.run_id, error=str(error))
