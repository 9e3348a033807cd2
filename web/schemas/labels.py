"""What comes in and goes out around labels: saying something, many pictures in one go, reviewing, random samples."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from core.base.network_catalog import CLASSES
from core.review.audits import SIZES
from core.review.review_queue import Picture
from web.schemas.schemas import Input, ResultQuery, Share

MAX_LABELS = 5000
MAX_HELD = 2000
MAX_HANDED = 50

ImageId = Annotated[int, Field(ge=1, le=2**63 - 1)]
Whole = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
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


class ReviewIn(Input):
    reviewer: UUID = Field(description="Your own id: one for each open page or program")
    audit: UUID | None = Field(None, description="Review this random sample instead of the job")
    wanted: int = Field(10, ge=0, le=MAX_HANDED, description="How many more pictures to hand out")
    after: tuple[Whole, Whole] | None = Field(None, description="`place` of the last picture that was handed out")
    holding: list[ImageId] = Field(
        default_factory=list, max_length=MAX_HELD, description="What you still have before you; all else is let go"
    )
    skipped: list[ImageId] = Field(default_factory=list, max_length=MAX_HELD, description="Not now, and not by others")
    again: bool = Field(False, description="Hand out skipped pictures, too")
    leaving: bool = Field(False, description="Let go everything; nothing is handed out")


class PictureOut(BaseModel):
    """In a random sample all that would tell what the model says is null."""

    image_id: int
    place: tuple[int, int]
    path: str | None
    label: str | None
    confidence: float | None
    probabilities: dict[str, float] | None
    human_label: str | None

    @classmethod
    def from_picture(cls, picture: Picture) -> Self:
        """A picture to review as the API shows it."""
        probabilities = picture.probabilities
        return cls(
            image_id=picture.image_id,
            place=picture.place,
            path=picture.path,
            label=picture.label,
            confidence=picture.confidence,
            probabilities=None if probabilities is None else dict(zip(CLASSES, probabilities, strict=True)),
            human_label=picture.human_label,
        )


class ReviewOut(BaseModel):
    """`holding`: what is yours of that which you named. `n_skipped` is counted only when nothing else is left."""

    items: list[PictureOut]
    holding: list[int]
    n_others: int
    n_skipped: int | None


class ProgressOut(BaseModel):
    """`n_other` counts pictures that people call otherwise than the model.

    People begin with the doubtful ones: it is not how often the model errs. A random sample (audit) says that.
    """

    n_good: int
    n_reviewed: int
    n_unsure_left: int
    n_other: int


class AuditIn(Input):
    id: UUID | None = Field(
        None, description="The sample's id: sent again, nothing happens twice; a new one if left out"
    )
    size: int = Field(100, json_schema_extra={"enum": list(SIZES)})


class AuditOut(BaseModel):
    """A random sample of a job, judged blind.

    `accuracy` is `n_right / n_labelled`: of the judged pictures that the model labelled at the job's threshold, how
    many people call the same; with its 95 % interval (Wilson). `guess_accuracy`: the likelier class over all judged
    ones, unsure or not. `n_population`: out of how many pictures the sample was drawn.
    """

    id: UUID
    job: UUID
    size: int
    seed: int
    n_images: int
    n_population: int
    n_judged: int
    n_labelled: int
    n_right: int
    accuracy: float | None
    accuracy_low: float | None
    accuracy_high: float | None
    guess_accuracy: float | None
    guess_low: float | None
    guess_high: float | None
    is_complete: bool
    created_at: datetime


class AuditPage(BaseModel):
    items: list[AuditOut]
    next: str | None


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
