"""The queue of all jobs."""

from pawsort.api.calls import NOTHING, Call
from pawsort.api.operation import AsyncGroup, Group, Operation
from pawsort.schemas import PauseState


class QueueOperations:
    """Pause and resume everything."""

    @Operation
    def get(self) -> Call[PauseState]:
        """Return since when everything is paused."""
        return Call(PauseState, "GET", "/pause")

    @Operation
    def pause(self) -> Call[PauseState]:
        """Pause everything. Pictures that are being classified are finished, and uploads go on."""
        return Call(PauseState, "PUT", "/pause")

    @Operation
    def resume(self) -> Call[None]:
        """Resume everything. Jobs that are paused themselves stay so."""
        return Call(NOTHING, "DELETE", "/pause")


class Queue(QueueOperations, Group):
    """Pause and resume everything."""


class AsyncQueue(QueueOperations, AsyncGroup):
    """Pause and resume everything."""
