"""Labels: single ones, many in one call, their history, corrections."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints, model_validator
from typing_extensions import TypeAliasType

from core.base.states import BatchKind, LabelSource
from web.schemas.common import Input, PersonsLabel, Share, ShownLabel
from web.schemas.results import ResultQuery

MAX_LABELS = 5000
MAX_ITEMS = 10_000
MAX_UNDOES = 5000  # each is looked up while the labels of everybody else wait
LABEL_PROBABLY_NEITHER = {
    "id": "0f5c9a52-6b1e-4c1d-9c57-3f2b8a7d1e60",
    "filter": {"neither": "probable"},
    "label": "neither",
}
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{64}$")]
ImageId = Annotated[int, Field(ge=1, le=2**63 - 1)]


NewLabelSource = TypeAliasType("NewLabelSource", Literal["correction", "confirmation", "audit"])


class LabelIn(Input, json_schema_extra={"examples": [{"image_id": 1042, "label": "cat"}]}):
    image_id: ImageId | None = Field(None, description="The picture; either this or `sha256` is required")
    sha256: Sha256 | None = Field(None, description="The content, wherever it was uploaded")
    label: PersonsLabel | None = Field(None, description="Required; null withdraws earlier labels")
    source: NewLabelSource = "correction"
    key: UUID | None = Field(
        None, description="Your own id of this label, so that a repeated call does not write it twice"
    )
    undoes: UUID | None = Field(
        None,
        description="Instead of a label: the key of a label to undo, if it still counts."
        f" At most {MAX_UNDOES:,} items of a call may have it",
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if ("label" in self.model_fields_set) == (self.undoes is not None):
            raise ValueError("expected either label (null withdraws) or undoes")
        return self

    @model_validator(mode="after")
    def _names_one_content(self) -> Self:
        if (self.image_id is None) == (self.sha256 is None):
            raise ValueError("expected either image_id or sha256")
        return self


class LabelsIn(Input):
    items: list[LabelIn] = Field(min_length=1, max_length=MAX_ITEMS)
    audit: UUID | None = Field(None, description="The audit that these labels belong to; its items have an image_id")
    batch: UUID | None = Field(
        None,
        description="Your own id of a batch that all these labels belong to, so that"
        " `POST /label-batches/{id}/undo` undoes them; several calls can add to it",
    )
    dry_run: bool = Field(False, description="Show what a batch of these labels would change, and write nothing")

    @property
    def is_list(self) -> bool:
        """Whether the labels are compared with those that count now."""
        return self.batch is not None or self.dry_run

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.audit and (self.is_list or any(item.image_id is None for item in self.items)):
            raise ValueError("expected items with image_id, and neither batch nor dry_run, together with audit")
        if self.is_list and any(item.undoes for item in self.items):
            raise ValueError("expected no undoes together with batch or dry_run; undo the batch instead")
        if (n_undoes := sum(item.undoes is not None for item in self.items)) > MAX_UNDOES:
            raise ValueError(f"expected at most {MAX_UNDOES:,} items with undoes, got {n_undoes:,}; send several calls")
        return self


class RelabellingOut(BaseModel):
    before: str | None
    label: str | None
    n: int


class LabelsOut(BaseModel):
    """`unknown`: contents that are in no upload here; nothing was written for them.

    In a batch, `n_unchanged` counts contents that had this label already and got no further one, and `changes` has the
    labels of people and folders before and after.
    """

    n_labels: int
    unknown: list[str] = Field(default_factory=list)
    n_unchanged: int = 0
    changes: list[RelabellingOut] = Field(default_factory=list)


class HistoryOut(BaseModel):
    """One label in the history of an image's content. `counts`: whether it is the current label."""

    id: int
    label: PersonsLabel | None
    source: LabelSource
    user: str | None
    created_at: datetime
    image_id: int | None
    path: str | None
    batch: UUID | None
    audit: UUID | None
    undoes: int | None
    upload: UUID | None
    is_undone: bool
    counts: bool


class HistoryPage(BaseModel):
    items: list[HistoryOut]
    next: str | None


class BatchIn(
    Input,
    json_schema_extra={
        "examples": [
            {"id": "0f5c9a52-6b1e-4c1d-9c57-3f2b8a7d1e60", "filter": {"neither": "probable"}, "label": "neither"}
        ]
    },
):
    id: UUID = Field(description="Your own id: repeat the call with it until `is_finished`")
    filter: ResultQuery = Field(
        default_factory=lambda: ResultQuery(),  # type: ignore[call-arg]
        description="As in the query of a job's results; default: all pictures. cursor, limit and sort are ignored",
    )
    image_ids: list[ImageId] | None = Field(None, max_length=MAX_LABELS, description="Only these pictures")
    except_ids: list[ImageId] = Field(default_factory=list, max_length=MAX_LABELS, description="All but these pictures")
    label: PersonsLabel | None = Field(
        None, description="The label of all these pictures; null withdraws earlier labels"
    )
    confirm: bool = Field(False, description="Instead of a label: confirm the model's labels")
    threshold: Share | None = Field(
        None, description="The threshold at which the pictures were shown; default: the job's"
    )

    @model_validator(mode="after")
    def _does_one_thing(self) -> Self:
        if ("label" in self.model_fields_set) == self.confirm:
            raise ValueError("expected either label (null withdraws) or confirm")
        return self


class UndoIn(Input):
    id: UUID = Field(description="Your own id of the undo: repeat the call with it until `is_finished`")


class BatchOut(BaseModel):
    """`n_skipped`: pictures left unchanged: unsure, already labelled by a person, or labelled again since.

    `job` is null for a batch of the kind `list`, made with `POST /labels`.
    """

    id: UUID
    kind: BatchKind
    job: UUID | None
    label: PersonsLabel | None
    n_labels: int
    n_skipped: int
    is_finished: bool
    undone_by: UUID | None
    created_at: datetime


class CorrectionsQuery(Input):
    id: UUID | None = Field(
        None, description="Your own id of these labels, so that a repeated call writes nothing twice"
    )
    dry_run: bool = Field(False, description="`1`: show what would change, and write nothing")


class ChangeOut(BaseModel):
    shown: ShownLabel | None
    label: PersonsLabel
    n: int


class CorrectionsOut(BaseModel):
    """Each content is counted once; `n_unknown` counts files.

    `batch` is the id to undo all these labels; null if none were written. `exported_at` is when the folder was made, by
    its manifest; null without one: then its folders are compared with the labels shown now, and `n_replaced` of those
    are not the model's. `n_newer`: a label by a person that is newer than the folder stays. `n_confirmed`: the folder
    agrees with the label shown. `n_unmoved`: not moved since the folder was made. `n_silent`: in folders that name no
    label, such as `unsure`. `ambiguous`: one sentence for each content in folders of two classes. Both lists name the
    first hundred.
    """

    batch: UUID | None
    exported_at: datetime | None
    n_corrected: int
    changes: list[ChangeOut]
    n_replaced: int
    n_newer: int
    n_confirmed: int
    n_unmoved: int
    n_silent: int
    n_unknown: int
    n_ambiguous: int
    unknown: list[str]
    ambiguous: list[str]
