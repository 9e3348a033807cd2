"""The lease of a claimed training: kept by a thread that also records progress and learns of a request to stop."""

import threading
import time
from types import TracebackType
from typing import Self

from core.base.config import HEARTBEATS_PER_LEASE
from core.base.database import Database
from core.training import claims
from core.training.claims import Claim, NextStep
from worker.process.lease_keeper import LeaseKeeper

BEAT_S = 1.0  # cancelling has to take effect within 2 s


class TrainingStopped(Exception):
    """The job was cancelled or deleted, or another worker has it."""


class BestWanted(Exception):
    """The job shall end now, with its best epoch as the version."""


class Watch:
    """Beats once a second for a claimed training, as a context manager."""

    def __init__(self, db: Database, claim: Claim, lease_s: float) -> None:
        self._db, self._claim, self._lease_s = db, claim, lease_s
        self._now = ("reading", 0, 0)
        self._began_at, self._first_step = time.monotonic(), 0
        self._stopped, self._best_wanted = threading.Event(), threading.Event()
        interval_s = min(BEAT_S, lease_s / HEARTBEATS_PER_LEASE)
        self._keeper = LeaseKeeper(self._beat, interval_s, "beat_failed", job_id=claim.job_id)

    def __enter__(self) -> Self:
        self._keeper.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._keeper.stop()

    def say(self, phase: str, step: int = 0, n_steps: int = 0) -> None:
        """Note what is happening now, for whoever looks at the job.

        Raises:
            TrainingStopped: There is no reason to go on.
        """
        if phase != self._now[0] or step < self._now[1]:
            self._began_at, self._first_step = time.monotonic(), step
        self._now = (phase, step, n_steps)
        if self._stopped.is_set():
            raise TrainingStopped

    def want_best(self) -> None:
        """Let the next step of training be the last."""
        self._best_wanted.set()

    def say_step(self, step: int, n_steps: int) -> None:
        """Note a step of training.

        Raises:
            TrainingStopped: There is no reason to go on.
            BestWanted: The epochs so far are enough.
        """
        self.say("training", step, n_steps)
        if self._best_wanted.is_set():
            raise BestWanted

    def say_validating(self) -> None:
        """Note that an epoch is measured on the validation part.

        Raises:
            TrainingStopped: There is no reason to go on.
        """
        self.say("validating")

    def _left_s(self) -> float | None:
        """How long the present phase will still take, if it goes on as it began."""
        _, step, n_steps = self._now
        n_done = step - self._first_step
        return (time.monotonic() - self._began_at) / n_done * (n_steps - step) if n_done > 0 else None

    def _beat(self) -> bool:
        with self._db.write() as session:
            order = claims.beat(session, self._claim, self._lease_s, *self._now, self._left_s())
        if order == NextStep.KEEP_BEST:
            self.want_best()
        elif order == NextStep.STOP:
            self._stopped.set()
        return order != NextStep.STOP
