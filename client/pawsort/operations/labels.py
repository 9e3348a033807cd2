"""Labels: what people and folders say about pictures."""

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import BinaryIO, Unpack

from pawsort.api.calls import Call, Flow, Stream, ask, pages
from pawsort.api.operation import AsyncGroup, Group, Listing, Operation
from pawsort.operations.references import ImageReference, JobReference, image_id, job_id, new_id
from pawsort.schemas import Corrections, LabelBatch, LabelBatchInput, LabelInput, LabelOutcome, LabelRecord, Relabelling

MOST = 5000  # labels in one request


class LabelOperations:
    """Labels by people: add, read, undo them."""

    @Operation
    def add(
        self,
        labels: Iterable[LabelInput],
        *,
        batch: str | None = None,
        audit: str | None = None,
        dry_run: bool = False,
    ) -> Flow[LabelOutcome]:
        """Label pictures. A repeated request writes nothing twice.

        Args:
            labels: Such as `{"sha256": "5f…", "label": "cat"}`, or with `image_id`; None as the label withdraws earlier
                ones.
            batch: An id of your own (a UUID) for all of them: `undo_batch` undoes them together.
            audit: The audit that they belong to.
            dry_run: Write nothing, and return what would change.
        """
        rest, outcome = iter(labels), LabelOutcome(0, [], 0, [])
        options = {"batch": batch, "audit": audit, "dry_run": dry_run or None}
        body = {name: value for name, value in options.items() if value is not None}
        while some := [{"key": new_id(), **label} for label in islice(rest, MOST)]:
            part = yield from ask(Call(LabelOutcome, "POST", "/labels", json={"items": some, **body}))
            outcome = _sum(outcome, part)
        return outcome

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


def _sum(first: LabelOutcome, second: LabelOutcome) -> LabelOutcome:
    """The outcome of two requests."""
    counts = Counter({(change.before, change.label): change.n for change in first.changes})
    counts.update({(change.before, change.label): change.n for change in second.changes or []})
    return LabelOutcome(
        n_labels=first.n_labels + second.n_labels,
        unknown=first.unknown + (second.unknown or []),
        n_unchanged=first.n_unchanged + (second.n_unchanged or 0),
        changes=[Relabelling(before, label, n) for (before, label), n in counts.items()],
    )


class Labels(LabelOperations, Group):
    """Labels by people: add, read, undo them."""


class AsyncLabels(LabelOperations, AsyncGroup):
    """Labels by people: add, read, undo them."""
