"""What comes in and goes out, as types: APIFlask validates with them and writes the OpenAPI description from them."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)

from core.base.errors import ErrorCode
from core.jobs.progress import JobView
from core.jobs.results import ResultFilter
from web.exports.archive import Tree
from web.exports.whose import By

MAX_LIMIT = 1000
ANY_ERROR = "any"
DISCARD = "Remove the pictures once they are classified; labels and small pictures are kept"


def _printable(value: str) -> str:
    if any(ord(character) < 32 or ord(character) == 127 for character in value):
        raise ValueError("expected text without control characters")
    return value


def _number(value: object) -> object:
    # A query is text, and pydantic does not take text for one of the numbers of a Literal.
    return int(value) if isinstance(value, str) and value.isdecimal() and len(value) < 10 else value


def _error_code(value: str) -> str:
    known = (*ErrorCode, ANY_ERROR)
    if value not in known:
        raise ValueError(f"expected one of {', '.join(known)}")
    return value


Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500), AfterValidator(_printable)]
Text = Annotated[str, StringConstraints(max_length=4096), AfterValidator(_printable)]
Share = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
VersionNumber = Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)]
NetworkOrNumber = Annotated[str, StringConstraints(max_length=100, pattern=r"^([1-9][0-9]{0,8}|[A-Za-z][\w.-]*)$")]
Pixels = Annotated[Literal[128, 256, 512, 1024], BeforeValidator(_number)]
AnyErrorCode = Annotated[
    str, AfterValidator(_error_code), WithJsonSchema({"type": "string", "enum": [*ErrorCode, ANY_ERROR]})
]
Model = VersionNumber | NetworkOrNumber
ShownLabel = Literal["cat", "dog", "unsure"]


class Input(BaseModel):
    """Refuses what it does not know: a misspelt field would otherwise be ignored in silence."""

    model_config = ConfigDict(extra="forbid")


class PageQuery(Input):
    cursor: Annotated[str, Field(max_length=8192)] | None = Field(None, description="`next` of the page before")
    limit: int = Field(100, ge=1, le=MAX_LIMIT)


class JobQuery(PageQuery):
    name: Text | None = Field(None, description="Only jobs whose name contains this text")
    state: Literal["active", "receiving", "queued", "running", "done", "cancelled", "failed"] | None = Field(
        None, description="`active`: receiving, queued or running"
    )
    user: Name | None = Field(None, description="Only jobs that this person created")
    since: AwareDatetime | None = Field(None, description="Created at this moment or later, with its zone")
    before: AwareDatetime | None = Field(None, description="Created before this moment, with its zone")


class UploadIn(Input):
    name: Name = Field("", description="What people see; the folder's name, as a rule")
    labelled: bool = Field(False, description="Folder names (cats/, dogs/) are labels")
    discard_originals: bool = Field(False, description=DISCARD)


class CompleteIn(Input):
    n_shards: int | None = Field(None, ge=0, le=2**31 - 1, description="How many shards were sent, numbered from 0")
    partial: bool = Field(False, description="Finish with what arrived")


class JobIn(Input):
    upload: UUID
    model: Model | None = Field(None, description="A version's number or a network's name; the one in use if left out")
    threshold: Share | None = Field(None, description="Below this confidence an image is shown as unsure")
    name: Name | None = None


class JobPatch(Input):
    name: Name | None = None
    threshold: Share | None = None


class CancelIn(Input):
    keep_best: bool = Field(False, description="Of a training: end with the best epoch so far as a version")


class ArchiveQuery(Input):
    name: Name = ""
    id: UUID | None = Field(None, description="The id of both the upload and the job; a new one if left out")
    model: NetworkOrNumber | None = None
    threshold: Share | None = None
    labelled: bool = False
    discard_originals: bool = Field(False, description=DISCARD)


class ResultQuery(PageQuery):
    label: ShownLabel | None = None
    error_code: AnyErrorCode | None = None
    min_confidence: Share | None = None
    max_confidence: Share | None = None
    path: Text | None = Field(None, description="Only paths that contain this text")
    folder: Text | None = Field(None, description="Only files in this folder, or in folders in it")
    said: Literal["nothing", "something", "otherwise"] | None = Field(
        None, description="What people said of it; `otherwise`: something else than the label that the model gave"
    )
    sort: Literal["path", "order", "confidence", "-confidence", "alike"] = Field(
        "order", description="`order`: as uploaded; `alike`: pictures that look alike together"
    )

    def to_filter(self) -> ResultFilter:
        """The filter that this query asks for."""
        is_any = self.error_code == ANY_ERROR
        return ResultFilter(
            label=self.label,
            error_code=None if is_any else self.error_code,
            failed=True if is_any else None,
            min_confidence=self.min_confidence,
            max_confidence=self.max_confidence,
            path=self.path,
            folder=self.folder,
            said=self.said,
            sort=self.sort,
        )


class LandmarkQuery(ResultQuery):
    every: int = Field(100, ge=10, le=MAX_LIMIT, description="Results on each page")


class ExportQuery(Input):
    error_code: AnyErrorCode | None = Field(
        None, description="Only what failed for this reason; `any`: all that failed"
    )


class ReportQuery(Input):
    by: By = Field(
        By.FINAL, description="Whose label decides: the model's, the person's, the person's where there is one"
    )


class ZipQuery(ReportQuery):
    tree: Tree = Field(Tree.KEEP, description="`flat`: without the folders that were sent")


class ThumbnailQuery(Input):
    size: Pixels = Field(256, description="Longest side in pixels")


class JudgementQuery(PageQuery):
    true: Literal["cat", "dog", "neither"] | None = Field(None, description="Only what people say is this")
    called: Literal["cat", "dog"] | None = Field(None, description="Only what the version calls this")
    sort: Literal["doubt", "error"] = Field(
        "doubt", description="`doubt`: least sure first; `error`: first those least believed to be what people say"
    )


class RollbackIn(Input):
    in_use: VersionNumber | None = Field(
        None, description="The version to roll back from: sent again by accident, the call then does nothing twice"
    )


class TrainingDataIn(Input):
    data: Literal["all"] | Annotated[list[UUID], Field(max_length=1000)] = Field(
        description="Ids of complete uploads, or `all` for everything that anybody labelled"
    )


# Not checked here, only documented: core/training/parameters.py has one sentence for each wrong type or value.
AnyText = Annotated[Any, WithJsonSchema({"type": ["string", "null"]})]
AnyWhole = Annotated[Any, WithJsonSchema({"type": ["integer", "null"]})]
AnyNumber = Annotated[Any, WithJsonSchema({"type": ["number", "null"]})]


class TrainingParametersIn(Input):
    network: AnyText = None
    epochs: AnyWhole = None
    steps_per_epoch: AnyWhole = Field(None, description="Batches in an epoch; as many as show every picture once")
    batch_size: AnyWhole = None
    learning_rate: AnyNumber = None
    augmentation: AnyText = Field(None, description="none, light or strong")
    seed: AnyWhole = None
    early_stopping: AnyWhole = Field(None, description="End after so many epochs without progress; 0: never")
    start_from: AnyWhole = Field(
        None,
        description="A version whose weights training starts from. If left out, seed-cnn begins anew, and"
        " efficientnet-lite0, of which the last layers learn, with its newest version",
    )
    what: AnyText = Field(
        None, description="all; or head: a new head alone, in seconds, on what the body of `start_from` sees"
    )


class TrainingJobIn(TrainingParametersIn, TrainingDataIn):
    id: UUID | None = Field(None, description="The job's id: sent again, nothing happens twice; a new one if left out")
    name: Name | None = None


class Skipped(BaseModel):
    path: str
    reason: str


class Limits(BaseModel):
    """What one shard and one upload may hold."""

    max_files: int
    max_bytes: int
    max_image_bytes: int
    max_upload_bytes: int


class UploadOut(BaseModel):
    id: UUID
    name: str
    labelled: bool
    state: str
    n_shards: int
    n_images: int
    n_bytes: int
    n_skipped: int
    skipped: list[Skipped]
    created_at: datetime
    completed_at: datetime | None
    originals: Literal["kept", "to be discarded", "being discarded", "discarded"]
    limits: Limits


class ShardOut(BaseModel):
    seq: int
    n_images: int
    n_bytes: int
    sha256: str


class FileOut(BaseModel):
    image_id: int
    path: str
    n_bytes: int
    sha256: str


class FilePage(BaseModel):
    items: list[FileOut]
    next: str | None


class ShardPage(BaseModel):
    items: list[ShardOut]
    next: str | None


class Counts(BaseModel):
    total: int
    done: int
    failed: int
    by_label: dict[str, int]


class JobOut(BaseModel):
    id: UUID
    kind: str
    name: str
    state: str
    upload: UUID | None
    model: int | None
    threshold: float
    counts: Counts
    images_per_s: float | None
    eta_s: float | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: str | None
    originals_discarded_at: datetime | None

    @classmethod
    def from_view(cls, view: JobView) -> Self:
        """A job as the API shows it."""
        return cls(
            id=view.uuid,
            kind=view.kind,
            name=view.name,
            state=view.state,
            upload=view.upload_uuid,
            model=view.model_version_id,
            threshold=view.threshold,
            counts=Counts(total=view.n_total, done=view.n_done, failed=view.n_failed, by_label=view.by_label),
            images_per_s=view.images_per_s,
            eta_s=view.eta_s,
            created_at=view.created_at,
            started_at=view.started_at,
            finished_at=view.finished_at,
            error=view.error,
            originals_discarded_at=view.discarded_at,
        )


class JobPage(BaseModel):
    items: list[JobOut]
    next: str | None


class TrainingDataOut(BaseModel):
    """What would be trained on. `by_class` and `by_part` count contents, each once; `problem` says why it cannot be."""

    n_files: int
    by_class: dict[str, int]
    by_part: dict[str, int]
    n_duplicates: int
    n_unreadable: int
    n_unlabelled: int
    notes: list[str]
    problem: str | None


class TrainingParametersOut(BaseModel):
    network: str
    epochs: int
    steps_per_epoch: int | None
    batch_size: int
    learning_rate: float
    augmentation: str
    seed: int
    early_stopping: int
    start_from: int | None
    what: str


class EpochOut(BaseModel):
    number: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    learning_rate: float
    seconds: float
    images_per_s: float
    created_at: datetime


class EpochList(BaseModel):
    """How far a training is.

    `phase` is what happens now (reading, decoding, comparing, preparing, training, validating, judging), `step` of
    `n_steps` how far that is and `phase_left_s` how long it still takes; `eta_s` is what is left of all epochs. `found`
    is what was there to learn from when the job was created.
    """

    parameters: dict[str, Any]
    phase: str
    step: int
    n_steps: int
    eta_s: float | None
    phase_left_s: float | None
    found: dict[str, Any] | None
    items: list[EpochOut]
    next: None = None


class ResultOut(BaseModel):
    image_id: int
    path: str
    label: str | None
    confidence: float | None
    probabilities: dict[str, float] | None
    human_label: str | None
    error_code: str | None
    error: str | None


class HeatOut(BaseModel):
    class_name: str
    rows: list[list[int]]


class ResultPage(BaseModel):
    items: list[ResultOut]
    next: str | None


class LandmarksOut(BaseModel):
    """How many results a view has, and the cursors of its pages but the first."""

    n: int
    every: int
    cursors: list[str]


class HistogramOut(BaseModel):
    """For each class the thousandths of confidence with how many results have them: `[[731, 5], …]`."""

    threshold: float
    bins: dict[str, list[tuple[int, int]]]


class ModelOut(BaseModel):
    version: int
    network: str
    digest: str
    in_use: bool
    n_new_labels: int = Field(description="Pictures that were labelled since it was trained")
    created_at: datetime
    manifest: dict[str, Any]


class ModelList(BaseModel):
    items: list[ModelOut]
    next: str | None = None


class FiguresOut(BaseModel):
    """`figures` has the fields that a part has in a manifest; only `n_images`, 0, when nothing has been judged."""

    version: int
    figures: dict[str, Any]


class JudgementOut(BaseModel):
    """`image_id` and `path` are null when no upload has this content any more."""

    image_id: int | None
    path: str | None
    sha256: str
    label: str
    called: str
    confidence: float
    probabilities: dict[str, float]


class JudgementPage(BaseModel):
    items: list[JudgementOut]
    next: str | None


class ComparisonOut(BaseModel):
    """Both on the same pictures; `p_value` is McNemar's, two-sided."""

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
    label: str
    first: dict[str, float]
    second: dict[str, float]


class DifferencePage(BaseModel):
    items: list[DifferenceOut]
    next: str | None


class DeploymentOut(BaseModel):
    id: int
    version: int
    reason: str
    who: str | None = Field(description="Name of the user; null when no person did it")
    created_at: datetime


class DeploymentList(BaseModel):
    items: list[DeploymentOut]
    next: str | None = None


class Problem(BaseModel):
    """Problem details (RFC 9457); more members where a program needs them."""

    type: str
    title: str
    status: int
    detail: str
