"""Results of a job and their exports, thumbnails, heat maps and the histogram."""

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field
from typing_extensions import TypeAliasType

from core.base.errors import ErrorCode, ImageWarning
from core.jobs.result_filter import ResultFilter
from web.exports.formats import ExportOptions
from web.exports.label_preference import By
from web.exports.sorted_zip import Tree
from web.schemas.common import (
    MAX_LIMIT,
    ClassName,
    Input,
    OneOf,
    PageQuery,
    Pair,
    PersonsLabel,
    Share,
    ShownLabel,
    Text,
)

ANY_ERROR = "any"


def _number(value: object) -> object:
    # A query is text, and pydantic does not take text for one of the numbers of a Literal.
    return int(value) if isinstance(value, str) and value.isdecimal() and len(value) < 10 else value


Pixels = Annotated[Literal[128, 256, 512, 1024, 2048, 4096], BeforeValidator(_number)]
AnyErrorCode = TypeAliasType("AnyErrorCode", Annotated[str, OneOf((*ErrorCode, ANY_ERROR))])
LabelFilter = TypeAliasType("LabelFilter", Literal["nothing", "something", "otherwise"])
ResultSort = TypeAliasType("ResultSort", Literal["path", "order", "confidence", "-confidence", "alike"])


def error_filter(error_code: str | None) -> ResultFilter:
    """The filter for one error code, for `any` error, or for all results."""
    is_any = error_code == ANY_ERROR
    return ResultFilter(error_code=None if is_any else error_code, failed=True if is_any else None)


class HistogramQuery(Input):
    min_confidence: Share | None = None
    max_confidence: Share | None = None
    path: Text | None = Field(None, description="Only paths that contain this text")
    folder: Text | None = Field(None, description="Only files in this folder or its subfolders")
    said: LabelFilter | None = Field(
        None, description="Whether people have labelled it; `otherwise`: differently from the model"
    )

    def to_filter(self) -> ResultFilter:
        """The filter of this query."""
        return ResultFilter(**{name: getattr(self, name) for name in HistogramQuery.model_fields})


class ResultFilterQuery(HistogramQuery):
    label: ShownLabel | None = None
    error_code: AnyErrorCode | None = None
    warning: ImageWarning | None = Field(None, description="Only pictures that are labelled with this warning")
    neither: Literal["probable"] | None = Field(
        None, description="`probable`: only unsure pictures whose probability of neither is over 0.5"
    )
    sort: ResultSort = Field("order", description="`order`: as uploaded; `alike`: similar pictures together")

    def to_filter(self) -> ResultFilter:
        """The filter of this query."""
        errors = error_filter(self.error_code)
        return replace(
            super().to_filter(),
            error_code=errors.error_code,
            failed=errors.failed,
            label=self.label,
            warning=self.warning,
            neither=self.neither,
            sort=self.sort,
        )


class ResultQuery(ResultFilterQuery, PageQuery):
    pass


class LandmarkQuery(ResultQuery):
    every: int = Field(100, ge=10, le=MAX_LIMIT, description="Results per page")


class ThumbnailQuery(Input):
    size: Pixels = Field(256, description="Longest side in pixels, at most")


class ResultOut(BaseModel):
    image_id: int
    path: str
    label: ShownLabel | None
    confidence: float | None
    probabilities: dict[str, float] | None
    human_label: PersonsLabel | None
    error_code: ErrorCode | None
    error: str | None
    warning: ImageWarning | None
    sha256: str = Field(description="SHA-256 of the content, by which `POST /labels` can name it")


class HeatOut(BaseModel):
    class_name: ClassName
    rows: list[list[int]]


class ResultPage(BaseModel):
    items: list[ResultOut]
    next: str | None


class LandmarksOut(BaseModel):
    """The number of results, and the cursors of all pages but the first."""

    n: int
    every: int
    cursors: list[str]


class HistogramOut(BaseModel):
    """For each class: confidence in thousandths, and how many results have it, as `[[731, 5], …]`.

    `neither`: how many of all these are probably neither at thresholds above that confidence. `n_failed`: failed files,
    which have no confidence.
    """

    threshold: float
    bins: dict[str, list[Pair]]
    neither: list[Pair]
    n_failed: int


class ExportQuery(ResultFilterQuery):
    def to_options(self) -> ExportOptions:
        """The options of this query."""
        return ExportOptions(results=self.to_filter())


class CsvQuery(ExportQuery):
    bom: bool = Field(False, description="`1`: begin with a byte order mark, by which Excel knows UTF-8")

    def to_options(self) -> ExportOptions:
        """The options of this query."""
        return replace(super().to_options(), has_bom=self.bom)


class ReportQuery(ExportQuery):
    by: By = Field(
        By.FINAL,
        description="Whose label to use: the model's, the person's, or `final`: the person's, otherwise the model's",
    )

    def to_options(self) -> ExportOptions:
        """The options of this query."""
        return replace(super().to_options(), by=self.by)


class ZipQuery(ReportQuery):
    tree: Tree = Field(Tree.KEEP, description="`flat`: without the uploaded folders")

    def to_options(self) -> ExportOptions:
        """The options of this query."""
        return replace(super().to_options(), tree=self.tree)
