"""Labels: what people and folders say about pictures."""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import BinaryIO, Unpack

from pawsort.api.calls import Call, Flow, Stream, ask, pages
from pawsort.api.operation import AsyncGroup, Group, Listing, Operation
from pawsort.operations.references import ImageReference, JobReference, image_id, job_id, new_id
from pawsort.schemas import Corrections, LabelBatch, LabelBatchInput, LabelCount, LabelInput, LabelRecord

MOST = 5000  # labels in one request


class LabelOperations:
    """Labels by people: add, read, undo them."""

    @Operation
    def add(self, labels: Iterable[LabelInput], *, audit: str | None = None) -> Flow[int]:
        """Label pictures, and return how many labels were written. Repeating a request writes nothing twice.

        Args:
            labels: Such as `{"image_id": 7, "label": "cat"}`; None as the label withdraws earlier ones.
            audit: The audit that they belong to.
        """
        rest, n_labels = iter(labels), 0
        while some := [{"key": new_id(), **label} for label in islice(rest, MOST)]:
            body = {"items": some} | ({"audit": audit} if audit else {})
            answer = yield from ask(Call(LabelCount, "POST", "/labels", json=body))
            n_labels += answer.n_labels
        return n_labels

    @Listing
    def history(self, image: ImageReference) -> Stream[LabelRecord]:
        """Iterate over all labels of a picture's content, newest first."""
        return pages(LabelRecord, f"/images/{image_id(image)}/labels")

    @Operation
    def add_batch(self, job: JobReference, **options: Unpack[LabelBatchInput]) -> Flow[LabelBatch]:
        """Label all pictures of a job that match a filter, or confirm their predictions."""
        body = {"id": new_id(), **options}
        batch = yield from ask(Call(LabelBatch, "POST", f"/jobs/{job_id(job)}/labels", json=body))
        while not batch.is_finished:
            batch = yield from ask(Call(LabelBatch, "POST", f"/jobs/{job_id(job)}/labels", json=body))
        return batch

    @Operation
    def get_batch(self, batch: str) -> Call[LabelBatch]:
        """Return a batch of labels."""
        return Call(LabelBatch, "GET", f"/label-batches/{batch}")

    @Operation
    def undo_batch(self, batch: str) -> Flow[LabelBatch]:
        """Undo all labels of a batch; newer ones are kept."""
        body: Mapping[str, object] = {"id": new_id()}
        undone = yield from ask(Call(LabelBatch, "POST", f"/label-batches/{batch}/undo", json=body))
        while not undone.is_finished:
            undone = yield from ask(Call(LabelBatch, "POST", f"/label-batches/{batch}/undo", json=body))
        return undone

    @Operation
    def correct(self, job: JobReference, folder: BinaryIO | bytes, *, dry_run: bool = False) -> Call[Corrections]:
        """Import corrections from a sorted folder that was rearranged by hand.

        Args:
            folder: A zip or tar of it; or for each file one line of JSON with its `path` and `sha256`.
        """
        query = {"id": new_id(), "dry_run": dry_run or None}
        kind = "application/jsonl" if isinstance(folder, bytes) else None
        path = f"/jobs/{job_id(job)}/corrections"
        return Call(Corrections, "POST", path, query, content=folder, content_type=kind)


class Labels(LabelOperations, Group):
    """Labels by people: add, read, undo them."""


class AsyncLabels(LabelOperations, AsyncGroup):
    """Labels by people: add, read, undo them."""
