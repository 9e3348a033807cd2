"""A classification that was started: its results while they come."""

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

from pawsort.api.async_transport import AsyncTransport
from pawsort.api.calls import Flow, Stream, collect
from pawsort.api.operation import AsyncGroup, Group, Listing, Operation
from pawsort.api.transport import Transport
from pawsort.client.frames import to_frame
from pawsort.operations.jobs import JobOperations
from pawsort.schemas import Job, Result
from pawsort.uploads.sources import SkippedPath
from pawsort.workflows.follow import follow_results, wait_for_job
from pawsort.workflows.start import Start

if TYPE_CHECKING:
    import pandas


class ClassificationOperations:
    """A job that classifies, with its files perhaps still on their way.

    Attributes:
        job: The job, as the server described it last.
    """

    def __init__(self, transport: Any, start: Start) -> None:
        self._transport = transport
        self._background = start.background
        self.job = start.job

    @property
    def id(self) -> str:
        """The job's id. `classify` with `resume=` takes it when the upload was interrupted."""
        return self.job.id

    @property
    def skipped(self) -> list[SkippedPath]:
        """Paths that were not uploaded so far, and why."""
        return self._background.skipped

    @Listing
    def results(self) -> Stream[Result]:
        """Iterate over all results, in the order of the upload, while they come."""
        return follow_results(self.id, self._background)

    @Operation
    def wait(self) -> Flow[Job]:
        """Wait until everything is classified, and return the job.

        Raises:
            JobFailed: The job has failed.
        """
        self.job = yield from wait_for_job(self.id, self._background)
        return self.job

    @Operation
    def refresh(self) -> Flow[Job]:
        """Return the job as it is now."""
        self.job = yield from JobOperations.get.within(self.id)
        return self.job

    @Operation
    def cancel(self) -> Flow[Job]:
        """Stop the job and keep its results so far."""
        self.job = yield from JobOperations.cancel.within(self.id)
        return self.job

    @Operation
    def to_pandas(self) -> "Flow[pandas.DataFrame]":
        """Wait for all results, and return them as a data frame: one row for each file."""
        return to_frame((yield from collect(follow_results(self.id, self._background))))

    def __repr__(self) -> str:
        counts = self.job.counts
        return f"<{type(self).__name__} {self.id} {self.job.state}: {counts.done + counts.failed} of {counts.n_images}>"

    def _repr_html_(self) -> str:
        return self.job._repr_html_()


class Classification(ClassificationOperations, Group):
    """A job that classifies. Iterating over it yields its results while they come."""

    _transport: Transport

    def __iter__(self) -> Iterator[Result]:
        return self.results()


class AsyncClassification(ClassificationOperations, AsyncGroup):
    """A job that classifies. Iterating over it yields its results while they come."""

    _transport: AsyncTransport

    def __aiter__(self) -> AsyncIterator[Result]:
        return self.results()
