"""Labels: single ones, many in one call, their history, corrections."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from web.schemas.common import Input, Share
from web.schemas.results import ResultQuery

MAX_LABELS = 5000
ImageId = Annotated[int, Field(ge=1, le=2**63 - 1)]
PersonsLabel = Literal["cat", "dog", "neither"]


class LabelIn(Input):
    image_id: ImageId
    label: PersonsLabel | None = Field(None, description="Required; null withdraws what people said before")
    source: Literal["correction", "confirmation", "audit"] = "correction"
    key: UUID | None = Field(None, description="Your own id of this label: sent again, it is not written twice")
    undoes: UUID | None = Field(None, description="Instead of a label: the key of one to take back, if it still counts")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if ("label" in self.model_fields_set) == (self.undoes is not None):
            raise ValueError("expected either label (null withdraws) or undoes")
        return self


class LabelsIn(Input):
    items: list[LabelIn] = Field(min_length=1, max_length=MAX_LABELS)
    audit: UUID | None = Field(None, description="The random sample that these pictures are judged for")


class LabelsOut(BaseModel):
    n_labels: int


class HistoryOut(BaseModel):
    """One thing that was said of an image's content. `counts`: this is what it is called now."""

    id: int
    label: str | None
    source: str
    user: str | None
    created_at: datetime
    image_id: int | None
    path: str | None
    batch: UUID | None
    audit: UUID | None
    undoes: int | None
    is_undone: bool
    counts: bool


class HistoryPage(BaseModel):
    items: list[HistoryOut]
    next: str | None


class BatchIn(Input):
    id: UUID = Field(description="Your own id: repeat the call with it until `is_finished`")
    filter: ResultQuery = Field(
        default_factory=lambda: ResultQuery(),  # type: ignore[call-arg]
        description="As the query of a job's results; everything when left out. cursor, limit and sort mean nothing",
    )
    image_ids: list[ImageId] | None = Field(None, max_length=MAX_LABELS, description="Only these of them")
    except_ids: list[ImageId] = Field(default_factory=list, max_length=MAX_LABELS, description="All but these of them")
    label: PersonsLabel | None = Field(None, description="What all of them show; null withdraws what people said")
    confirm: bool = Field(False, description="Instead of a label: what the model shows is right")
    threshold: Share | None = Field(None, description="The one the pictures were seen at; the job's when left out")

    @model_validator(mode="after")
    def _does_one_thing(self) -> Self:
        if ("label" in self.model_fields_set) == self.confirm:
            raise ValueError("expected either label (null withdraws) or confirm")
        return self


class UndoIn(Input):
    id: UUID = Field(description="Your own id of the undo: repeat the call with it until `is_finished`")


class BatchOut(BaseModel):
    """`n_skipped`: pictures left alone: they showed no label, had a person's word, or were labelled anew since."""

    id: UUID
    kind: str
    job: UUID
    label: str | None
    n_labels: int
    n_skipped: int
    is_finished: bool
    undone_by: UUID | None
    created_at: datetime


class CorrectionsQuery(Input):
    id: UUID | None = Field(None, description="Your own id of the labels: sent again, nothing is written twice")


class CorrectionsOut(BaseModel):
    """Contents are counted, each once; `n_unknown` counts files.

    `batch`: the labels that were written, to be taken back in one go; null when there were none. `n_confirmed`: the
    folder says what was shown already, nothing was written. `n_silent`: in folders that say nothing, such as `unsure`.
    `ambiguous`: a sentence for each content in folders of two classes. Of both lists the first hundred are named.
    """

    batch: UUID | None
    n_corrected: int
    n_confirmed: int
    n_silent: int
    n_unknown: int
    n_ambiguous: int
    unknown: list[str]
    ambiguous: list[str]
