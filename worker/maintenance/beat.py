"""Celery beat as a program of its own: `pawsort beat`."""

from typing import Any

from celery.beat import Scheduler

from core.operations.alive_file import AliveFile
from worker.process import runtime

BEAT = "beat"


class AliveScheduler(Scheduler):  # type: ignore[misc]
    """Celery's scheduler without a file of its own, which shows health checks that it ticks."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._alive_file = AliveFile(runtime.get().settings.data_dir, BEAT)

    def tick(self, *args: Any, **options: Any) -> float:
        """Send what is due; returns the seconds until the next tick."""
        self._alive_file.touch()
        return float(super().tick(*args, **options))
