"""What the server answers, as far as the client reads it. The whole interface is at `/docs` of a running server."""

from typing import Any, NotRequired, TypedDict


class UploadLimits(TypedDict):
    """Limits of one shard and of one image, and what is left of the user's quota; null or missing without one."""

    max_files: NotRequired[int]
    max_bytes: NotRequired[int]
    max_image_bytes: NotRequired[int]
    bytes_left: NotRequired[int | None]
    images_left: NotRequired[int | None]


class SkippedEntry(TypedDict):
    """An entry of an archive that the server did not take."""

    path: str
    reason: str


class Upload(TypedDict):
    """An upload. `originals` is "discarded" once they are gone, "being discarded" while that happens."""

    limits: NotRequired[UploadLimits]
    skipped: list[SkippedEntry]
    originals: str


class JobCounts(TypedDict):
    """Images of a job: `done` with a label, `failed` with an error result, `total` that have arrived.

    `probably_neither` is a part of the unsure ones; older servers do not count it.
    """

    total: int
    done: int
    failed: int
    by_label: dict[str, int]
    probably_neither: NotRequired[int]


class SkippedEntries(TypedDict):
    """What was skipped in an archive."""

    by_reason: dict[str, int]


class Job(TypedDict):
    """A job of any kind. `upload` is empty where it classifies none; `model` is the version's number.

    It starts when a worker claims the first of its work. Moments are ISO 8601.

    `skipped` comes with the answer to an archive; `paused` is "job" or "everything".
    """

    id: str
    kind: str
    name: str
    state: str
    upload: str
    model: int
    threshold: float
    counts: JobCounts
    images_per_s: float | None
    eta_s: float | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    error: str | None
    paused: NotRequired[str | None]
    skipped: NotRequired[SkippedEntries]


class RefusedJob(TypedDict):
    """A job that cannot be retried, and why."""

    id: str
    reason: str


class RetriedJobs(TypedDict):
    """What became of jobs that were to be retried."""

    retried: list[str]
    refused: list[RefusedJob]


class FolderLabels(TypedDict):
    """How many labels of an upload's folders count, or counted before they were withdrawn."""

    n_labels: int


class TrainingData(TypedDict):
    """What a training would learn from. `problem` says why it cannot start, or is empty."""

    by_class: dict[str, int]
    by_part: dict[str, int]
    n_duplicates: int
    n_unreadable: int
    n_unlabelled: int
    notes: list[str]
    problem: str | None


class Epoch(TypedDict):
    """One epoch of a training."""

    number: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    seconds: float
    images_per_s: float


class TrainingCurve(TypedDict):
    """The epochs of a training, and what happens in it now."""

    items: list[Epoch]
    parameters: dict[str, Any]
    phase: str | None
    step: int
    n_steps: int
    eta_s: float | None


class ModelVersion(TypedDict):
    """A model version. `n_new_labels` counts the labels since it was trained."""

    version: int
    network: str
    digest: str
    in_use: bool
    created_at: str
    n_new_labels: int
    manifest: dict[str, Any]


class PromisedThreshold(TypedDict):
    """The threshold that keeps a promise, with what the validation split says of the labels from it on."""

    version: int
    threshold: float
    max_error: float
    coverage: float
    error: float
    error_low: float
    error_high: float
    n_images: int
    n_labelled: int
    n_wrong: int


class Deployment(TypedDict):
    """One line of the history of which version was in use."""

    version: int


class PromotionCheck(TypedDict):
    """A version next to the one in use; `warning` says what speaks against promoting it."""

    summary: str
    warning: str | None


class ScheduleRun(TypedDict):
    """One run of a schedule. `n_due` is the number of due times that it counts for."""

    id: int
    due_at: str
    started_at: str
    state: str
    outcome: str
    who: str | None
    n_due: int
    is_late: bool


class Schedule(TypedDict):
    """A schedule, with its next due times as ISO 8601 in its own time zone."""

    id: int
    name: str
    kind: str
    in_words: str
    time_zone: str
    is_on: bool
    next_times: list[str]
    last_run: ScheduleRun | None


class LabelChange(TypedDict):
    """How many pictures change from the label that is shown to another one."""

    shown: str | None
    label: str
    n: int


class Corrections(TypedDict):
    """What a rearranged folder changed. `batch` is the id to undo it with, if it wrote any label.

    `exported_at` is None for a folder without a manifest; `n_replaced` of its changes replace labels of people or
    folders.
    """

    batch: str | None
    exported_at: str | None
    n_corrected: int
    changes: list[LabelChange]
    n_replaced: int
    n_newer: int
    n_unmoved: int
    n_confirmed: int
    n_silent: int
    n_unknown: int
    n_ambiguous: int
    unknown: list[str]
    ambiguous: list[str]


class Relabelling(TypedDict):
    """How many contents change from the label that people or folders gave before."""

    before: str | None
    label: str | None
    n: int


class AddedLabels(TypedDict):
    """What a list of labels changed; `unknown` contents are not on the server."""

    n_labels: int
    n_unchanged: int
    changes: list[Relabelling]
    unknown: list[str]


class AuditEntry(TypedDict):
    """One line of the audit log. `user` is null for Pawsort itself, and if nobody was logged in."""

    at: str
    user: str | None
    address: str
    action: str
    object_kind: str
    object_id: str
    outcome: str
    details: dict[str, Any]


class UndoneLabels(TypedDict):
    """How far an undo has come."""

    n_labels: int
    is_finished: bool
