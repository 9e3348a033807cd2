"""Reviewing: pictures handed out, progress, audits."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, Field

from core.base.network_catalog import CLASSES
from core.review.audits import SIZES
from core.review.review_queue import ReviewItem
from web.schemas.common import Input
from web.schemas.labels import ImageId

MAX_HELD = 2000
MAX_HANDED = 50
Whole = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]


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
