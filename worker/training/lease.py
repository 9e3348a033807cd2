"""A thread beside a training: keeps its lease, says what is happening, and hears that it shall stop."""

import threading
import time
from types import TracebackType
from typing import Self

import structlog
from sqlalchemy.exc import SQLAlchemyError

from core.base.database import Database
from core.training import claims
from core.training.claims import Claim, Order

log = structlog.get_logger()

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
        self._stopped, self._ended, self._best_wanted = threading.Event(), threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

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

    def _run(self) -> None:
        while not self._ended.wait(BEAT_S):
            try:
                with self._db.write() as session:
                    order = claims.beat(session, self._claim, self._lease_s, *self._now, self._left_s())
            except SQLAlchemyError as error:  # a database that is away for a moment must not end a training
                log.warning("beat_failed", job_id=self._claim.job_id, error=str(error))
                continue
            if order == Order.KEEP_BEST:
                self.want_best()
            elif order == Order.STOP:
                self._stopped.set()
                return
