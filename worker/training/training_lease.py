"""The lease of a claimed training: renewed by a thread that also records progress and receives requests to stop."""

import threading
import time
from types import TracebackType
from typing import Self

from core.base.config import HEARTBEATS_PER_LEASE
from core.base.database import Database
from core.operations.lease_keeper import LeaseKeeper
from core.training import claims
from core.training.claims import Claim, NextStep
from core.training.progress import TRAINING, VALIDATING

BEAT_S = 1.0  # cancelling has to take effect within 2 s


class TrainingStopped(Exception):
    """The job was cancelled or deleted, or another worker has claimed it."""


class StopWithBest(Exception):
    """A user asked to end the job now, with its best epoch as the version."""


class TrainingLease:
    """Keeps the lease of a claimed training as a context manager, with a heartbeat each second."""

    def __init__(self, db: Database, claim: Claim, lease_s: float) -> None:
        self._db, self._claim, self._lease_s = db, claim, lease_s
        self._progress = ("reading", 0, 0)
        self._began_at, self._first_step = time.monotonic(), 0
        self._stopped, self._best_requested = threading.Event(), threading.Event()
        interval_s = min(BEAT_S, lease_s / HEARTBEATS_PER_LEASE)
        self._keeper = LeaseKeeper(self._beat, interval_s, "beat_failed", job_id=claim.job_id)

    def __enter__(self) -> Self:
        self._keeper.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._keeper.stop()

    def report(self, phase: str, step: int = 0, n_steps: int = 0) -> None:
        """Note the progress, which the next heartbeat records for the job's page.

        Raises:
            TrainingStopped: There is no reason to continue.
        """
        if phase != self._progress[0] or step < self._progress[1]:
            self._began_at, self._first_step = time.monotonic(), step
        self._progress = (phase, step, n_steps)
        if self._stopped.is_set():
            raise TrainingStopped

    def request_best(self) -> None:
        """Let the next step of training be the last."""
        self._best_requested.set()

    def report_step(self, step: int, n_steps: int) -> None:
        """Note a step of training.

        Raises:
            TrainingStopped: There is no reason to continue.
            StopWithBest: The epochs so far are enough.
        """
        self.report(TRAINING, step, n_steps)
        if self._best_requested.is_set():
            raise StopWithBest

    def report_validation(self) -> None:
        """Note that an epoch is being measured on the validation split.

        Raises:
            TrainingStopped: There is no reason to continue.
        """
        self.report(VALIDATING)

    def report_record(self) -> None:
        """Note that an epoch was recorded, and that the next one begins.

        Raises:
            TrainingStopped: There is no reason to continue.
        """
        self.report(TRAINING)

    def _left_s(self) -> float | None:
        """How long the current phase will still take at its mean speed so far."""
        _, step, n_steps = self._progress
        n_done = step - self._first_step
        return (time.monotonic() - self._began_at) / n_done * (n_steps - step) if n_done > 0 else None

    def _beat(self) -> bool:
        with self._db.write() as session:
            order = claims.beat(session, self._claim, self._lease_s, *self._progress, self._left_s())
        if order == NextStep.KEEP_BEST:
            self.request_best()
        elif order == NextStep.STOP:
            self._stopped.set()
        return order != NextStep.STOP
