"""Jobs and their results."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Unpack

from pawsort.api.calls import NOTHING, Call, Flow, Stream, Subscription, ask, page, pages
from pawsort.api.errors import ClientError
from pawsort.api.operation import AsyncGroup, Download, Group, Listing, Operation
from pawsort.api.whole_file import whole_file
from pawsort.operations.references import ImageReference, JobReference, image_id, job_id
from pawsort.schemas import (
    AnyErrorCode,
    Epochs,
    FolderTree,
    HeatMap,
    Histogram,
    ImageWarning,
    Job,
    JobChanges,
    JobInput,
    JobSort,
    JobStateFilter,
    LabelFilter,
    LabelPreference,
    Landmarks,
    PriorityName,
    Result,
    ResultSort,
    RetriedJobs,
    ShownLabel,
)

ENDED = frozenset({"done", "cancelled", "failed"})
FORMATS = ("csv", "xlsx", "jsonl", "parquet", "zip", "html")


class JobOperations:
    """Jobs: list, change, stop them, read their results."""

    @Listing
    def list(
        self,
        *,
        search: str | None = None,
        name: str | None = None,
        state: JobStateFilter | None = None,
        user: str | None = None,
        since: datetime | None = None,
        before: datetime | None = None,
        tag: str | None = None,
        model: str | int | None = None,
        sort: JobSort | None = None,
    ) -> Stream[Job]:
        """Iterate over jobs, newest first.

        Args:
            search: Words. Each is in the name, a tag, the user or the network, or is the number of the version.
        """
        query = {"search": search, "name": name, "state": state, "user": user, "since": since, "before": before}
        return pages(Job, "/jobs", {**query, "tag": tag, "model": model, "sort": sort})

    @Operation
    def get(self, job: JobReference) -> Call[Job]:
        """Return a job."""
        return Call(Job, "GET", f"/jobs/{job_id(job)}")

    @Operation
    def create(self, id: str, **options: Unpack[JobInput]) -> Call[Job]:
        """Classify an upload, with any version, as often as you like. `Pawsort.classify` uploads files as well."""
        return Call(Job, "PUT", f"/jobs/{id}", json=options)

    @Operation
    def update(self, job: JobReference, **changes: Unpack[JobChanges]) -> Call[Job]:
        """Change a job's name, threshold or tags."""
        return Call(Job, "PATCH", f"/jobs/{job_id(job)}", json=changes)

    @Operation
    def cancel(self, job: JobReference, *, keep_best: bool = False) -> Call[Job]:
        """Stop a job and keep its results so far. With `keep_best`, the best epoch of a training becomes a version."""
        return Call(Job, "POST", f"/jobs/{job_id(job)}/cancel", json={"keep_best": keep_best})

    @Operation
    def retry(self, job: JobReference) -> Call[Job]:
        """Classify the failed files of a job again."""
        return Call(Job, "POST", f"/jobs/{job_id(job)}/retry")

    @Operation
    def retry_failed(self, jobs: Sequence[JobReference] | None = None) -> Call[RetriedJobs]:
        """Retry several jobs, or all that failed."""
        given = None if jobs is None else [job_id(job) for job in jobs]
        return Call(RetriedJobs, "POST", "/jobs/retry", json={"jobs": given})

    @Operation
    def delete(self, job: JobReference) -> Call[None]:
        """Delete a job, and its upload with the last job that uses it."""
        return Call(NOTHING, "DELETE", f"/jobs/{job_id(job)}")

    @Operation
    def hand_over(self, job: JobReference, user: str) -> Call[Job]:
        """Give a job with its upload to another person."""
        return Call(Job, "POST", f"/jobs/{job_id(job)}/owner", json={"user": user})

    @Operation
    def pause(self, job: JobReference) -> Call[Job]:
        """Pause a job. Pictures that are being classified are finished."""
        return Call(Job, "POST", f"/jobs/{job_id(job)}/pause")

    @Operation
    def resume(self, job: JobReference) -> Call[Job]:
        """Resume a paused job."""
        return Call(Job, "POST", f"/jobs/{job_id(job)}/resume")

    @Operation
    def set_priority(self, job: JobReference, priority: PriorityName) -> Call[Job]:
        """Let a job go before your other jobs, or before those of everybody."""
        return Call(Job, "PUT", f"/jobs/{job_id(job)}/priority", json={"priority": priority})

    @Listing
    def results(
        self,
        job: JobReference,
        *,
        label: ShownLabel | None = None,
        error_code: AnyErrorCode | None = None,
        warning: ImageWarning | None = None,
        min_confidence: float | None = None,
        max_confidence: float | None = None,
        path: str | None = None,
        folder: str | None = None,
        said: LabelFilter | None = None,
        neither: Literal["probable"] | None = None,
        sort: ResultSort | None = None,
    ) -> Stream[Result]:
        """Iterate over the results that a job has now."""
        query = {"label": label, "error_code": error_code, "warning": warning, "path": path, "folder": folder}
        shares = {"min_confidence": min_confidence, "max_confidence": max_confidence}
        return pages(
            Result, f"/jobs/{job_id(job)}/results", {**query, **shares, "said": said, "neither": neither, "sort": sort}
        )

    @Operation
    def histogram(
        self,
        job: JobReference,
        *,
        path: str | None = None,
        folder: str | None = None,
        min_confidence: float | None = None,
        max_confidence: float | None = None,
        said: LabelFilter | None = None,
    ) -> Call[Histogram]:
        """Return how many of these results have which confidence: counts by label at any threshold."""
        shares = {"min_confidence": min_confidence, "max_confidence": max_confidence}
        query = {"path": path, "folder": folder, "said": said, **shares}
        return Call(Histogram, "GET", f"/jobs/{job_id(job)}/histogram", query)

    @Operation
    def heat_map(self, job: JobReference, image: ImageReference) -> Call[HeatMap]:
        """Return where in a picture the evidence for the predicted class is."""
        return Call(HeatMap, "GET", f"/jobs/{job_id(job)}/results/{image_id(image)}/heat")

    @Operation
    def landmarks(self, job: JobReference, *, every: int = 100, sort: ResultSort | None = None) -> Call[Landmarks]:
        """Return where the pages of the list of results begin."""
        return Call(Landmarks, "GET", f"/jobs/{job_id(job)}/results/landmarks", {"every": every, "sort": sort})

    @Operation
    def epochs(self, job: JobReference) -> Call[Epochs]:
        """Return the epochs of a training, and its present phase."""
        return Call(Epochs, "GET", f"/jobs/{job_id(job)}/epochs")

    @Listing
    def events(self, job: JobReference) -> Subscription[Job]:
        """Iterate over the job as it is now, and whenever its state or counts change, until it has ended."""
        return list_changes(job_id(job))

    @Operation
    def export(
        self,
        job: JobReference,
        file: Path | str,
        *,
        bom: bool = False,
        by: LabelPreference | None = None,
        tree: FolderTree | None = None,
        label: ShownLabel | None = None,
        min_confidence: float | None = None,
        max_confidence: float | None = None,
    ) -> Flow[Path]:
        """Write the results of a job to a file, whose ending is the format: csv, xlsx, jsonl, parquet, zip, html.

        The file appears under its name only when it is complete.

        Args:
            bom: For a CSV: begin with a byte order mark, by which Excel knows UTF-8.
            by: For a zip or a report: whose labels to use.
            tree: For a zip: `flat` for no folders below those of the labels.
            label: Only these results, as the next two.
        """
        target = Path(file)
        kind = target.suffix.removeprefix(".").lower()
        if kind not in FORMATS:
            raise ClientError(f"{target}: expected a name that ends in .{', .'.join(FORMATS)}.")
        options = {"bom": bom or None, "by": by, "tree": tree, "label": label}
        query = {**options, "min_confidence": min_confidence, "max_confidence": max_confidence}
        with whole_file(target) as out:
            yield from ask(Call(NOTHING, "GET", f"/jobs/{job_id(job)}/{_export_name(kind)}", query, target=out))
        return target

    @Download
    def open_export(
        self,
        job: JobReference,
        kind: str,
        *,
        bom: bool = False,
        by: LabelPreference | None = None,
        tree: FolderTree | None = None,
    ) -> Call[bytes]:
        """Read an export while it arrives: csv, xlsx, jsonl, parquet, zip, html. The options are those of `export`."""
        query = {"bom": bom or None, "by": by, "tree": tree}
        return Call(bytes, "GET", f"/jobs/{job_id(job)}/{_export_name(kind)}", query)


def has_ended(job: Job) -> bool:
    """Whether a job has ended."""
    return job.state in ENDED


def list_changes(job: str) -> Subscription[Job]:
    """The job as it is now, and as it changes, until it has ended."""
    return Subscription(Job, f"/jobs/{job}/events", has_ended)


def results_page(job: str, cursor: str | None) -> Call[dict[str, Any]]:
    """One page of a job's results, in the order of the upload."""
    return page(f"/jobs/{job}/results", cursor)


def _export_name(kind: str) -> str:
    return "report.html" if kind == "html" else f"export.{kind}"


class Jobs(JobOperations, Group):
    """Jobs: list, change, stop them, read their results."""


class AsyncJobs(JobOperations, AsyncGroup):
    """Jobs: list, change, stop them, read their results."""
