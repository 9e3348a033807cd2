"""A training that was started: its epochs while they come, and the version at its end."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from pawsort.api.async_transport import AsyncTransport
from pawsort.api.calls import Flow, Stream
from pawsort.api.errors import JobFailed
from pawsort.api.operation import AsyncGroup, Group, Listing, Operation
from pawsort.api.transport import Transport
from pawsort.operations.jobs import JobOperations
from pawsort.operations.models import ModelOperations
from pawsort.schemas import Epoch, Job, Model
from pawsort.workflows.follow import follow_epochs, wait_for_job


class TrainingOperations:
    """A job that trains.

    Attributes:
        job: The job, as the server described it last.
    """

    def __init__(self, transport: Any, job: Job) -> None:
        self._transport = transport
        self.job = job

    @property
    def id(self) -> str:
        """The job's id."""
        return self.job.id

    @Listing
    def epochs(self) -> Stream[Epoch]:
        """Iterate over the epochs while they come."""
        return follow_epochs(self.id)

    @Operation
    def wait(self) -> Flow[Model]:
        """Wait until the training has ended, and return the new version.

        Raises:
            JobFailed: There is none.
        """
        self.job = yield from wait_for_job(self.id)
        if self.job.version is None:
            raise JobFailed(f"The training ended as {self.job.state}, without a version.", self.id)
        return (yield from ModelOperations.get.within(self.job.version))

    @Operation
    def cancel(self, *, keep_best: bool = False) -> Flow[Job]:
        """Stop the training. With `keep_best`, its best epoch so far becomes a version."""
        self.job = yield from JobOperations.cancel.within(self.id, keep_best=keep_best)
        return self.job

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} {self.job.state}>"

    def _repr_html_(self) -> str:
        return self.job._repr_html_()


class Training(TrainingOperations, Group):
    """A job that trains. Iterating over it yields its epochs while they come."""

    _transport: Transport

    def __iter__(self) -> Iterator[Epoch]:
        return self.epochs()


class AsyncTraining(TrainingOperations, AsyncGroup):
    """A job that trains. Iterating over it yields its epochs while they come."""

    _transport: AsyncTransport

    def __aiter__(self) -> AsyncIterator[Epoch]:
        return self.epochs()
