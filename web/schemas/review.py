"""Reviewing: pictures handed out, progress, audits."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field

from core.base.network_catalog import CLASSES
from core.review.audits import SIZES
from core.review.review_queue import ReviewItem
from web.schemas.common import Input, Pair, PersonsLabel, ShownLabel
from web.schemas.labels import ImageId

MAX_HELD = 2000
MAX_HANDED = 100


class ReviewIn(Input):
    reviewer: UUID = Field(description="Your own id: one for each open page or program")
    audit: UUID | None = Field(None, description="Review this audit instead of the whole job")
    wanted: int = Field(10, ge=0, le=MAX_HANDED, description="How many more pictures to hand out")
    after: Pair | None = Field(None, description="`place` of the last picture that was handed out")
    holding: list[ImageId] = Field(
        default_factory=list, max_length=MAX_HELD, description="The pictures you still hold; all others are released"
    )
    skipped: list[ImageId] = Field(
        default_factory=list, max_length=MAX_HELD, description="Pictures to skip, for other reviewers too"
    )
    again: bool = Field(False, description="Also hand out skipped pictures")
    leaving: bool = Field(False, description="Release all pictures; none are handed out")


class PictureOut(BaseModel):
    """In an audit, every field that would reveal the prediction is null."""

    image_id: int
    place: Pair
    path: str | None
    label: ShownLabel | None
    confidence: float | None
    probabilities: dict[str, float] | None
    human_label: PersonsLabel | None

    @classmethod
    def from_picture(cls, picture: ReviewItem) -> Self:
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
    """`holding`: which of your pictures you still hold. `n_skipped` is counted only if no other pictures are left.

    `surplus`: those that are more than your share. Do not name them next time, unless you have begun with them.
    """

    items: list[PictureOut]
    holding: list[int]
    surplus: list[int]
    n_others: int
    n_skipped: int | None


class ProgressOut(BaseModel):
    """`n_unsure_left` and `n_neither_left` count unsure pictures without a label by a person: probably neither, or not.

    `n_other` counts pictures that people label differently from the model.

    People begin with the pictures of low confidence, so this is not the error rate. An audit measures that.
    """

    n_good: int
    n_reviewed: int
    n_unsure_left: int
    n_neither_left: int
    n_other: int


class AuditIn(Input):
    id: UUID | None = Field(
        None, description="The id of the audit, so that a repeated call draws nothing twice; default: a new one"
    )
    size: int = Field(100, json_schema_extra={"enum": list(SIZES)})


class AuditOut(BaseModel):
    """A random sample of a job, labelled without sight of the predictions.

    `accuracy` is `n_right / n_labelled`: of the checked pictures that the model labelled at the job's threshold, the
    share with the same label from a person, with its 95 % interval (Wilson). `guess_accuracy` compares the more
    probable class of all checked pictures, unsure or not. `n_population`: the number of pictures that the sample was
    drawn from.
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
