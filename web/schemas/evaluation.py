"""Metrics of a version, its predictions, and comparisons of two versions."""

from typing import Any, Literal

from pydantic import BaseModel, Field
from typing_extensions import TypeAliasType

from web.schemas.common import ClassName, PageQuery, PersonsLabel

JudgementSort = TypeAliasType("JudgementSort", Literal["doubt", "error"])


class JudgementQuery(PageQuery):
    true: PersonsLabel | None = Field(None, description="Only pictures with this label")
    called: ClassName | None = Field(None, description="Only pictures with this prediction")
    sort: JudgementSort = Field(
        "doubt", description="`doubt`: lowest confidence first; `error`: lowest probability of the label first"
    )


class FiguresOut(BaseModel):
    """`figures` has the fields of a split in a manifest; only `n_images`, 0, if nothing was evaluated."""

    version: int
    figures: dict[str, Any]


class JudgementOut(BaseModel):
    """`image_id` and `path` are null if no upload has this content any more."""

    image_id: int | None
    path: str | None
    sha256: str
    label: PersonsLabel
    called: ClassName
    confidence: float
    probabilities: dict[str, float]


class JudgementPage(BaseModel):
    items: list[JudgementOut]
    next: str | None


class ComparisonOut(BaseModel):
    """Metrics of both versions on the same pictures; `p_value` is from McNemar's two-sided test."""

    first: dict[str, Any]
    second: dict[str, Any]
    n_images: int
    n_left_out: int
    n_differ: int
    both_right: int
    only_first: int
    only_second: int
    both_wrong: int
    p_value: float


class DifferenceOut(BaseModel):
    image_id: int | None
    path: str | None
    label: PersonsLabel
    first: dict[str, float] = Field(examples=[{"cat": 0.91, "dog": 0.05}])
    second: dict[str, float] = Field(examples=[{"cat": 0.12, "dog": 0.85}])


class DifferencePage(BaseModel):
    items: list[DifferenceOut]
    next: str | None
