"""The heartbeat of a worker process: shows that it is alive and keeps the lease of its chunk."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import structlog

from core.base.database import Database
from core.jobs import chunks
from core.jobs.chunks import Claim
from core.operations import workers
from core.operations.alive_file import AliveFile
from core.operations.lease_keeper import LeaseKeeper
from core.operations.metrics import Meter
from worker.process.hang_watchdog import HangWatchdog

log = structlog.get_logger()


class Heartbeat:
    """Beats for one worker row; `holding` adds a claim whose lease is renewed with every beat.

    Each beat also writes what the process has counted, and touches the files that show it is alive.
    """

    def __init__(
        self,
        db: Database,
        worker_id: int,
        beat_s: float,
        lease_s: float,
        meter: Meter | None = None,
        alive_files: Sequence[AliveFile] = (),
    ) -> None:
        self.worker_id = worker_id
        self._db = db
        self._beat_s = beat_s
        self._lease_s = lease_s
        self._meter = meter or Meter()
        self._alive_files = alive_files
        self._claims: set[Claim] = set()
        self._keeper = LeaseKeeper(self.beat, beat_s, "heartbeat_failed")
        self._watchdog = HangWatchdog(lease_s)

    def start(self) -> None:
        """Start beating."""
        self._show_life()
        self._keeper.start()
        self._watchdog.start()

    def stop(self) -> None:
        """Stop beating and record that the worker has stopped; a worker that is killed just stops beating."""
        self._watchdog.stop()
        self._keeper.stop(self._beat_s)
        with self._meter.writing(self._db) as session:
            workers.stop_worker(session, self.worker_id)

    @contextmanager
    def holding(self, claim: Claim) -> Iterator[None]:
        """Keep the lease of a claimed chunk while the block runs. A process may hold several."""
        self._claims.add(claim)
        try:
            yield
        finally:
            self._claims.discard(claim)

    def beat(self) -> bool:
        """Record once that this worker is alive, and renew the leases of its chunks; always True: it goes on."""
        self._show_life()  # also while the database is away
        claims = tuple(self._claims)
        with self._watchdog.watching(), self._meter.writing(self._db) as session:
            workers.beat(session, self.worker_id)
            lost = [claim for claim in claims if not chunks.renew_lease(session, claim, self._lease_s)]
        for claim in lost:
            if claim in self._claims:  # else it was recorded in the meantime
                log.warning("lease_lost", chunk_id=claim.chunk_id, fence=claim.fence)
        return True

    def _show_life(self) -> None:
        for file in self._alive_files:
            file.touch()
