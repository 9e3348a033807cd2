"""The types of the HTTP interface: dataclasses that it answers with, and the fields of what is sent to it.

Made from the OpenAPI document by `make client`. Do not edit.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Required, TypeAlias, TypedDict

from pawsort.answer import Answer
from pawsort.display import job_as_html

AuditAction: TypeAlias = Literal[
    "login",
    "logout",
    "session.end",
    "token.create",
    "token.revoke",
    "access",
    "user.create",
    "user.role",
    "user.disable",
    "user.enable",
    "invitation.create",
    "invitation.accept",
    "invitation.withdraw",
    "password.change",
    "password-link.create",
    "provider.connect",
    "owner.change",
    "job.pause",
    "job.resume",
    "job.priority",
    "job.cancel",
    "job.retry",
    "job.threshold",
    "job.delete",
    "upload.delete",
    "originals.discard",
    "version.delete",
    "version.promote",
    "version.rollback",
    "schedule.create",
    "schedule.change",
    "schedule.delete",
    "schedule.run",
    "webhook.create",
    "webhook.change",
    "webhook.delete",
    "webhook.rotate",
    "webhook.replay",
    "webhook.disable",
    "labels.add",
    "labels.undo",
    "export",
    "import.create",
    "setting.change",
    "backup.create",
    "backup.restore",
    "installation.move",
    "audit-log.prune",
]
AnyErrorCode: TypeAlias = Literal[
    "empty_file",
    "not_an_image",
    "unsupported_format",
    "truncated",
    "too_many_pixels",
    "too_many_bytes",
    "decode_timeout",
    "out_of_memory",
    "decoder_crashed",
    "any",
]
Augmentation: TypeAlias = Literal["none", "light", "strong"]
BatchKind: TypeAlias = Literal["label", "confirm", "folders", "list", "undo"]
LabelPreference: TypeAlias = Literal["model", "person", "final"]
ClassName: TypeAlias = Literal["cat", "dog"]
DeliveryState: TypeAlias = Literal["pending", "delivered", "failed"]
ErrorCode: TypeAlias = Literal[
    "empty_file",
    "not_an_image",
    "unsupported_format",
    "truncated",
    "too_many_pixels",
    "too_many_bytes",
    "decode_timeout",
    "out_of_memory",
    "decoder_crashed",
]
Event: TypeAlias = Literal[
    "job.done",
    "job.failed",
    "job.cancelled",
    "training.done",
    "training.failed",
    "training.cancelled",
    "version.promoted",
    "version.rolled_back",
    "schedule.failed",
    "webhook.test",
]
ImageWarning: TypeAlias = Literal["partly_readable"]
JobKind: TypeAlias = Literal["classify", "train", "judge", "study"]
JobSort: TypeAlias = Literal["newest", "oldest", "name", "pictures", "state"]
JobState: TypeAlias = Literal["receiving", "queued", "running", "done", "cancelled", "failed"]
JobStateFilter: TypeAlias = Literal["active", "receiving", "queued", "running", "done", "cancelled", "failed"]
PredictionSort: TypeAlias = Literal["doubt", "error"]
LabelFilter: TypeAlias = Literal["nothing", "something", "otherwise"]
LabelSource: TypeAlias = Literal["folder", "correction", "confirmation", "audit"]
LoginWay: TypeAlias = Literal["password", "provider", "token"]
NetworkName: TypeAlias = Literal[
    "seed-cnn", "efficientnet-lite0", "efficientnet-lite2", "efficientnet-lite0-fast", "efficientnet-lite2-fast"
]
NewLabelSource: TypeAlias = Literal["correction", "confirmation", "audit"]
Originals: TypeAlias = Literal["kept", "to be discarded", "being discarded", "discarded"]
AuditOutcome: TypeAlias = Literal["done", "refused", "failed"]
Pause: TypeAlias = Literal["job", "everything"]
PersonsLabel: TypeAlias = Literal["cat", "dog", "neither"]
PriorityName: TypeAlias = Literal["normal", "first", "before_all"]
ResultSort: TypeAlias = Literal["path", "order", "confidence", "-confidence", "alike"]
Right: TypeAlias = Literal["see", "label", "send", "others", "models", "schedules", "people", "system"]
Role: TypeAlias = Literal["viewer", "member", "admin"]
RunState: TypeAlias = Literal["waiting", "running", "judging", "done", "skipped", "failed"]
ScheduleKind: TypeAlias = Literal["retrain", "classify", "clean_up", "back_up"]
ShownLabel: TypeAlias = Literal["cat", "dog", "unsure"]
TrainableNetwork: TypeAlias = Literal["seed-cnn", "efficientnet-lite0"]
TrainedLayers: TypeAlias = Literal["all", "head"]
FolderTree: TypeAlias = Literal["keep", "flat"]
UploadState: TypeAlias = Literal["receiving", "complete"]
Via: TypeAlias = Literal["session", "token", "command", "schedule", "password", "provider", ""]


@dataclass(slots=True)
class Alive(Answer):
    status: Literal["ok"]


@dataclass(slots=True)
class Counts(Answer):
    """`n_images`: how many have arrived. `done` counts successes. `probably_neither` is a part of the unsure ones: the
    probability of neither is over 0.5.
    """

    n_images: int
    done: int
    failed: int
    by_label: dict[str, int]
    probably_neither: int


@dataclass(slots=True)
class SkippedEntry(Answer):
    path: str
    reason: str


@dataclass(slots=True)
class SkippedEntries(Answer):
    """What was skipped in an archive: how many entries, how many for each reason, the first few."""

    n: int
    by_reason: dict[str, int]
    first: list[SkippedEntry]


@dataclass(slots=True)
class ArchiveJob(Answer):
    """The job of an archive that was received.

    Attributes:
        version: The version that classifies, or that a training has made.
        paused: `job`: this job is paused; `everything`: all jobs are.
        workers: How many workers for inference sent a heartbeat lately; null in lists, and once the job has ended.
    """

    id: str
    kind: JobKind
    name: str
    state: JobState
    upload: str | None
    version: int | None
    threshold: float
    counts: Counts
    images_per_s: float | None
    eta_s: float | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: str | None
    originals_discarded_at: datetime | None
    tags: list[str]
    paused: Pause | None
    priority: PriorityName
    workers: int | None
    skipped: SkippedEntries


@dataclass(slots=True)
class Attempt(Answer):
    """`status` is that of HTTP; where there was none, `error` says why. `answer` is the beginning of the body."""

    at: datetime
    duration_s: float
    status: int | None
    error: str | None
    answer: str


@dataclass(slots=True)
class AuditEntry(Answer):
    """`user` is null for Pawsort itself, and if nobody was logged in; `via` shows which of the two it was."""

    id: int
    at: datetime
    user: str | None
    user_id: int | None
    via: Via
    credential_id: int | None
    address: str
    action: AuditAction
    object_kind: str
    object_id: str
    outcome: AuditOutcome
    details: dict[str, Any]


@dataclass(slots=True)
class Audit(Answer):
    """A random sample of a job, labelled without sight of the predictions. `accuracy` is `n_right / n_labelled`: of the
    checked pictures that the model labelled at the job's threshold, the share with the same label from a person,
    with its 95 % interval (Wilson). `guess_accuracy` compares the more probable class of all checked pictures,
    unsure or not. `n_population`: the number of pictures that the sample was drawn from.
    """

    id: str
    job: str
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


@dataclass(slots=True)
class LabelBatch(Answer):
    """`n_skipped`: pictures left unchanged: unsure, already labelled by a person, or labelled again since. `job` is
    null for a batch of the kind `list`, made with `POST /labels`.
    """

    id: str
    kind: BatchKind
    job: str | None
    label: PersonsLabel | None
    n_labels: int
    n_skipped: int
    is_finished: bool
    undone_by: str | None
    created_at: datetime


@dataclass(slots=True)
class LabelChange(Answer):
    shown: ShownLabel | None
    label: PersonsLabel
    n: int


@dataclass(slots=True)
class Comparison(Answer):
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


@dataclass(slots=True)
class Corrections(Answer):
    """Each content is counted once; `n_unknown` counts files. `batch` is the id to undo all these labels; null if none
    were written. `exported_at` is when the folder was made, by its manifest; null without one: then its folders are
    compared with the labels shown now, and `n_replaced` of those are not the model's. `n_newer`: a label by a person
    that is newer than the folder stays. `n_confirmed`: the folder agrees with the label shown. `n_unmoved`: not
    moved since the folder was made. `n_silent`: in folders that name no label, such as `unsure`. `ambiguous`: one
    sentence for each content in folders of two classes. Both lists name the first hundred.
    """

    batch: str | None
    exported_at: datetime | None
    n_corrected: int
    changes: list[LabelChange]
    n_replaced: int
    n_newer: int
    n_confirmed: int
    n_unmoved: int
    n_silent: int
    n_unknown: int
    n_ambiguous: int
    unknown: list[str]
    ambiguous: list[str]


@dataclass(slots=True)
class DeliveryDetails(Answer):
    """Fields of a DeliveryDetails.

    Attributes:
        message: What is sent, as JSON.
    """

    id: int
    message_id: str
    event: Event
    occurred_at: datetime
    state: DeliveryState
    next_attempt_at: datetime | None
    finished_at: datetime | None
    last_attempt: Attempt | None
    attempts: list[Attempt]
    message: dict[str, Any]


@dataclass(slots=True)
class Delivery(Answer):
    """`message_id` is the header `webhook-id`, the same in every attempt and replay."""

    id: int
    message_id: str
    event: Event
    occurred_at: datetime
    state: DeliveryState
    next_attempt_at: datetime | None
    finished_at: datetime | None
    last_attempt: Attempt | None


@dataclass(slots=True)
class Deployment(Answer):
    """Fields of a Deployment.

    Attributes:
        user: Name of the user; null if no user did it.
    """

    id: int
    version: int
    reason: str
    user: str | None
    created_at: datetime


@dataclass(slots=True)
class Difference(Answer):
    image_id: int | None
    path: str | None
    label: PersonsLabel
    first: dict[str, float]
    second: dict[str, float]


@dataclass(slots=True)
class Epoch(Answer):
    number: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    learning_rate: float
    seconds: float
    images_per_s: float
    created_at: datetime


@dataclass(slots=True)
class Epochs(Answer):
    """Progress of a training. `phase` is what happens now (reading, decoding, comparing, preparing, training,
    validating, judging), `step` of `n_steps` how far it is, and `phase_left_s` how long it will take. `eta_s` is the
    time left for all epochs. `found` describes the labelled pictures at the time when the job was created.
    """

    parameters: dict[str, Any]
    phase: str
    step: int
    n_steps: int
    eta_s: float | None
    phase_left_s: float | None
    found: dict[str, Any] | None
    items: list[Epoch]
    next: None


@dataclass(slots=True)
class Metrics(Answer):
    """`figures` has the fields of a split in a manifest; only `n_images`, 0, if nothing was evaluated."""

    version: int
    figures: dict[str, Any]


@dataclass(slots=True)
class File(Answer):
    image_id: int
    path: str
    n_bytes: int
    sha256: str


@dataclass(slots=True)
class FolderLabels(Answer):
    """`n_labels`: how many labels of the upload's folders count, or counted before they were withdrawn."""

    n_labels: int


@dataclass(slots=True)
class HeatMap(Answer):
    class_name: ClassName
    rows: list[list[int]]


@dataclass(slots=True)
class Histogram(Answer):
    """For each class: confidence in thousandths, and how many results have it, as `[[731, 5], …]`. `neither`: how many
    of all these are probably neither at thresholds above that confidence. `n_failed`: failed files, which have no
    confidence.
    """

    threshold: float
    bins: dict[str, list[list[int]]]
    neither: list[list[int]]
    n_failed: int


@dataclass(slots=True)
class LabelRecord(Answer):
    """One label in the history of an image's content. `counts`: whether it is the current label."""

    id: int
    label: PersonsLabel | None
    source: LabelSource
    user: str | None
    created_at: datetime
    image_id: int | None
    path: str | None
    batch: str | None
    audit: str | None
    undoes: int | None
    upload: str | None
    is_undone: bool
    counts: bool


@dataclass(slots=True)
class Invitation(Answer):
    id: int
    role: Role
    name: str | None
    email: str | None
    invited_by: str
    created_at: datetime
    expires_at: datetime


@dataclass(slots=True)
class Job(Answer):
    """Fields of a Job.

    Attributes:
        version: The version that classifies, or that a training has made.
        paused: `job`: this job is paused; `everything`: all jobs are.
        workers: How many workers for inference sent a heartbeat lately; null in lists, and once the job has ended.
    """

    id: str
    kind: JobKind
    name: str
    state: JobState
    upload: str | None
    version: int | None
    threshold: float
    counts: Counts
    images_per_s: float | None
    eta_s: float | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: str | None
    originals_discarded_at: datetime | None
    tags: list[str]
    paused: Pause | None
    priority: PriorityName
    workers: int | None

    def _repr_html_(self) -> str:
        return job_as_html(self)


@dataclass(slots=True)
class Prediction(Answer):
    """`image_id` and `path` are null if no upload has this content any more."""

    image_id: int | None
    path: str | None
    sha256: str
    label: PersonsLabel
    called: ClassName
    confidence: float
    probabilities: dict[str, float]


@dataclass(slots=True)
class Relabelling(Answer):
    before: str | None
    label: str | None
    n: int


@dataclass(slots=True)
class LabelOutcome(Answer):
    """`unknown`: contents that are in no upload here; nothing was written for them. In a batch, `n_unchanged` counts
    contents that had this label already and got no further one, and `changes` has the labels of people and folders
    before and after.
    """

    n_labels: int
    unknown: list[str]
    n_unchanged: int
    changes: list[Relabelling]


@dataclass(slots=True)
class Landmarks(Answer):
    """The number of results, and the cursors of all pages but the first."""

    n: int
    every: int
    cursors: list[str]


@dataclass(slots=True)
class UploadLimits(Answer):
    """The limits of one shard and of one upload, and what is left of your quota (null: no limit)."""

    max_files: int
    max_bytes: int
    max_image_bytes: int
    max_upload_bytes: int
    bytes_left: int | None
    images_left: int | None


@dataclass(slots=True)
class Link(Answer):
    """Fields of a Link.

    Attributes:
        link: Shown only now. It works once, within 72 hours.
    """

    link: str


@dataclass(slots=True)
class Model(Answer):
    """Fields of a Model.

    Attributes:
        n_new_labels: Pictures labelled since it was trained.
    """

    version: int
    network: NetworkName
    digest: str
    in_use: bool
    n_new_labels: int
    created_at: datetime
    manifest: dict[str, Any]


@dataclass(slots=True)
class NewInvitation(Answer):
    """Fields of a NewInvitation.

    Attributes:
        link: Shown only now. It works once, within 72 hours.
    """

    id: int
    role: Role
    name: str | None
    email: str | None
    invited_by: str
    created_at: datetime
    expires_at: datetime
    link: str


@dataclass(slots=True)
class NewSecret(Answer):
    """Fields of a NewSecret.

    Attributes:
        secret: Shown only now. Receivers verify signatures with it.
    """

    id: int
    name: str
    url: str
    events: list[Event]
    scope: Literal["own", "everybody"]
    user: str | None
    is_on: bool
    note: str | None
    failing_since: datetime | None
    last_attempt_at: datetime | None
    created_at: datetime
    secret: str


@dataclass(slots=True)
class NewToken(Answer):
    """The token itself is shown here only."""

    id: int
    name: str
    scopes: list[Right] | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    token: str


@dataclass(slots=True)
class PauseState(Answer):
    paused_since: datetime | None


@dataclass(slots=True)
class Usage(Answer):
    """What a person's uploads use, deleted ones until they are removed for good, and the quota (null: no limit)."""

    n_bytes: int
    n_images: int
    max_bytes: int | None
    max_images: int | None


@dataclass(slots=True)
class Person(Answer):
    """`last_seen_at`: to the minute. `ways_in`: how the person logs in. `usage`: what the person's uploads use."""

    id: int
    name: str
    role: Role
    is_owner: bool
    is_disabled: bool
    created_at: datetime
    last_seen_at: datetime | None
    ways_in: list[LoginWay]
    usage: Usage


@dataclass(slots=True)
class ReviewPicture(Answer):
    """In an audit, every field that would reveal the prediction is null."""

    image_id: int
    place: list[int]
    path: str | None
    label: ShownLabel | None
    confidence: float | None
    probabilities: dict[str, float] | None
    human_label: PersonsLabel | None


@dataclass(slots=True)
class ReviewProgress(Answer):
    """`n_unsure_left` and `n_neither_left` count unsure pictures without a label by a person: probably neither, or not.
    `n_other` counts pictures that people label differently from the model. People begin with the pictures of low
    confidence, so this is not the error rate. An audit measures that.
    """

    n_good: int
    n_reviewed: int
    n_unsure_left: int
    n_neither_left: int
    n_other: int


@dataclass(slots=True)
class PromotionCheck(Answer):
    """A version next to the one in use. `warning` is null if nothing speaks against promoting it.

    Attributes:
        in_use: The version in use; null if it is the same, or if there is none.
        n_images: Test pictures that both were evaluated on.
        accuracy: On these pictures; null without any.
        p_value: McNemar's test, two-sided.
        is_better: Right more often on enough pictures, and not by chance.
        summary: Both on the same pictures, in a sentence; empty if `in_use` is null.
    """

    version: int
    in_use: int | None
    n_images: int
    accuracy: float | None
    accuracy_in_use: float | None
    p_value: float
    is_better: bool
    summary: str
    warning: str | None


@dataclass(slots=True)
class Promotion(Answer):
    """Fields of a Promotion.

    Attributes:
        user: Name of the user; null if no user did it.
        warning: What spoke against it: worse than the version that was in use, or compared on few pictures.
    """

    id: int
    version: int
    reason: str
    user: str | None
    created_at: datetime
    warning: str | None


@dataclass(slots=True)
class Ready(Answer):
    """`checks` and `devices` are for those who have the token for monitoring, where the operator has set one.

    Attributes:
        checks: `ok`, or what is wrong with database, broker, ….
        devices: The devices of the workers, by queue.
    """

    status: Literal["ok", "not ready"]
    checks: dict[str, str] | None
    devices: dict[str, list[str]] | None


@dataclass(slots=True)
class Refusal(Answer):
    id: str
    reason: str


@dataclass(slots=True)
class Replay(Answer):
    """Fields of a Replay.

    Attributes:
        replayed: How many deliveries are sent again.
    """

    replayed: int


@dataclass(slots=True)
class Result(Answer):
    """Fields of a Result.

    Attributes:
        sha256: SHA-256 of the content, by which `POST /labels` can name it.
    """

    image_id: int
    path: str
    label: ShownLabel | None
    confidence: float | None
    probabilities: dict[str, float] | None
    human_label: PersonsLabel | None
    error_code: ErrorCode | None
    error: str | None
    warning: ImageWarning | None
    sha256: str


@dataclass(slots=True)
class RetriedJobs(Answer):
    retried: list[str]
    refused: list[Refusal]


@dataclass(slots=True)
class ReviewPictures(Answer):
    """`holding`: which of your pictures you still hold. `n_skipped` is counted only if no other pictures are left.
    `surplus`: those that are more than your share. Do not name them next time, unless you have begun with them.
    """

    items: list[ReviewPicture]
    holding: list[int]
    surplus: list[int]
    n_others: int
    n_skipped: int | None


@dataclass(slots=True)
class ScheduleRun(Answer):
    """`n_due`: how many due times it counts for; `user` started it with 'run now'; `details` depend on the kind."""

    id: int
    due_at: datetime
    n_due: int
    is_late: bool
    user: str | None
    state: RunState
    outcome: str
    job: str | None
    parameters: dict[str, Any]
    details: dict[str, Any]
    started_at: datetime
    finished_at: datetime | None


@dataclass(slots=True)
class Schedule(Answer):
    """`next_times` are the next five, in its time zone."""

    id: int
    name: str
    kind: ScheduleKind
    cron: str | None
    time_zone: str
    every_n_labels: int | None
    in_words: str
    next_times: list[datetime]
    parameters: dict[str, Any]
    is_on: bool
    next_run_at: datetime | None
    last_run: ScheduleRun | None
    revision: int
    created_at: datetime


@dataclass(slots=True)
class Session(Answer):
    """`last_seen_at`: to the minute. `agent`: what the browser calls itself.

    Attributes:
        is_current: Whether the request came from this browser.
    """

    id: int
    is_current: bool
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    address: str | None
    agent: str | None


@dataclass(slots=True)
class Shard(Answer):
    seq: int
    n_images: int
    n_bytes: int
    sha256: str


@dataclass(slots=True)
class Suspect(Answer):
    image_id: int
    path: str
    label: PersonsLabel
    suggested: PersonsLabel
    now: PersonsLabel | None
    p_label: float


@dataclass(slots=True)
class LabelQuality(Answer):
    """`curve`: measured points, and the expected accuracy now, with `more` added labels, and with twice as many.

    Attributes:
        suspects: Most suspicious first, without those that people have already checked.
        wanted: Images worth labelling next: of low confidence, and unlike each other.
    """

    version: int
    created_at: datetime
    n_labels: int
    curve: dict[str, Any]
    suspects: list[Suspect]
    wanted: list[int]


@dataclass(slots=True)
class Threshold(Answer):
    """The lowest threshold at which at most `max_error` of the labels are wrong. It was found on the `n_images`
    pictures of the version's validation split: `n_labelled` of them get a label there, `n_wrong` a wrong one.
    `error_low` and `error_high` are the exact interval of `error` (Clopper and Pearson); `error_high` is at most
    `max_error`.

    Attributes:
        digest: SHA-256 of the version's weights.
        coverage: Share of the pictures that get a label.
        error: Share of wrong ones among the labels.
        data_sha256: Digest of the contents that the version was made with.
    """

    version: int
    digest: str
    max_error: float
    threshold: float
    coverage: float
    error: float
    error_low: float
    error_high: float
    confidence_level: float
    split: str
    n_images: int
    n_labelled: int
    n_wrong: int
    data_sha256: str | None


@dataclass(slots=True)
class Token(Answer):
    """`scopes` is null for all that the role of its person allows; `last_used_at` is exact to the minute."""

    id: int
    name: str
    scopes: list[Right] | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


@dataclass(slots=True)
class TrainingData(Answer):
    """What would be trained on. `by_class` and `by_part` count each content once; `problem`: why it is impossible."""

    n_files: int
    by_class: dict[str, int]
    by_part: dict[str, int]
    n_duplicates: int
    n_unreadable: int
    n_unlabelled: int
    notes: list[str]
    problem: str | None


@dataclass(slots=True)
class TrainingParameters(Answer):
    network: TrainableNetwork
    epochs: int
    steps_per_epoch: int | None
    batch_size: int
    learning_rate: float
    augmentation: Augmentation
    seed: int
    early_stopping: int
    start_from: int | None
    what: TrainedLayers


@dataclass(slots=True)
class Upload(Answer):
    id: str
    name: str
    labelled: bool
    for_training: bool
    state: UploadState
    n_shards: int
    n_images: int
    n_bytes: int
    n_skipped: int
    skipped: list[SkippedEntry]
    created_at: datetime
    completed_at: datetime | None
    originals: Originals
    limits: UploadLimits


@dataclass(slots=True)
class Webhook(Answer):
    """`note` says why Pawsort has turned it off, or sends nothing because `user` may no longer have it. `failing_since`
    is null while the last attempt was good.
    """

    id: int
    name: str
    url: str
    events: list[Event]
    scope: Literal["own", "everybody"]
    user: str | None
    is_on: bool
    note: str | None
    failing_since: datetime | None
    last_attempt_at: datetime | None
    created_at: datetime


class AuditInput(TypedDict, total=False):
    """Fields of a AuditInput.

    Attributes:
        id: The id of the audit, so that a repeated call draws nothing twice; default: a new one.
    """

    id: str | None
    size: Literal[50, 100, 200]


class ResultQuery(TypedDict, total=False):
    """Fields of a ResultQuery.

    Attributes:
        cursor: `next` of the previous page.
        path: Only paths that contain this text.
        folder: Only files in this folder or its subfolders.
        said: Whether people have labelled it; `otherwise`: differently from the model.
        warning: Only pictures that are labelled with this warning.
        neither: `probable`: only unsure pictures whose probability of neither is over 0.5.
        sort: `order`: as uploaded; `alike`: similar pictures together.
    """

    cursor: str | None
    limit: int
    min_confidence: float | None
    max_confidence: float | None
    path: str | None
    folder: str | None
    said: LabelFilter | None
    label: ShownLabel | None
    error_code: AnyErrorCode | None
    warning: ImageWarning | None
    neither: Literal["probable"] | None
    sort: ResultSort


class LabelBatchInput(TypedDict, total=False):
    """Fields of a LabelBatchInput.

    Attributes:
        id: Your own id: repeat the call with it until `is_finished`.
        filter: As in the query of a job's results; default: all pictures. cursor, limit and sort are ignored.
        image_ids: Only these pictures.
        except_ids: All but these pictures.
        label: The label of all these pictures; null withdraws earlier labels.
        confirm: Instead of a label: confirm the model's labels.
        threshold: The threshold at which the pictures were shown; default: the job's.
    """

    id: Required[str]
    filter: ResultQuery
    image_ids: list[int] | None
    except_ids: list[int]
    label: PersonsLabel | None
    confirm: bool
    threshold: float | None


class CancelInput(TypedDict, total=False):
    """Fields of a CancelInput.

    Attributes:
        keep_best: Only for a training: end it and keep the best epoch so far as a version.
    """

    keep_best: bool


class CompleteInput(TypedDict, total=False):
    """Fields of a CompleteInput.

    Attributes:
        n_shards: How many shards were sent, numbered from 0.
        partial: Finish with the files that have arrived.
    """

    n_shards: int | None
    partial: bool


class ImportInput(TypedDict, total=False):
    """Fields of a ImportInput.

    Attributes:
        source: The path of a folder of the server, or `s3://bucket/prefix` (`gs://`, `az://`).
        id: The id of both the upload and the job; default: a new one.
        model: A version number or the name of a network; default: the version in use.
        threshold: Images below this confidence are marked unsure.
        name: Of the job; default: the name of the folder.
        labelled: Folder names (cats/, dogs/) are labels.
    """

    source: Required[str]
    id: str | None
    model: int | str | None
    threshold: float | None
    name: str | None
    labelled: bool


class InvitationInput(TypedDict, total=False):
    """Fields of a InvitationInput.

    Attributes:
        recipient: A name, which is offered to the invited person, or an email address.
    """

    role: Required[Role]
    recipient: str


class JobInput(TypedDict, total=False):
    """Fields of a JobInput.

    Attributes:
        model: A version number or the name of a network; default: the version in use.
        threshold: Images below this confidence are marked unsure.
    """

    upload: Required[str]
    model: int | str | None
    threshold: float | None
    name: str | None


class JobChanges(TypedDict, total=False):
    """Fields of a JobChanges.

    Attributes:
        tags: All tags that the job has from now on; stored in lower case.
    """

    name: str | None
    threshold: float | None
    tags: list[str] | None


class LabelInput(TypedDict, total=False):
    """Fields of a LabelInput.

    Attributes:
        image_id: The picture; either this or `sha256` is required.
        sha256: The content, wherever it was uploaded.
        label: Required; null withdraws earlier labels.
        key: Your own id of this label, so that a repeated call does not write it twice.
        undoes: Instead of a label: the key of a label to undo, if it still counts. At most 5,000 items of a call may
            have it.
    """

    image_id: int | None
    sha256: str | None
    label: PersonsLabel | None
    source: NewLabelSource
    key: str | None
    undoes: str | None


class LabelsInput(TypedDict, total=False):
    """Fields of a LabelsInput.

    Attributes:
        audit: The audit that these labels belong to; its items have an image_id.
        batch: Your own id of a batch that all these labels belong to, so that `POST /label-batches/{id}/undo` undoes
            them; several calls can add to it.
        dry_run: Show what a batch of these labels would change, and write nothing.
    """

    items: Required[list[LabelInput]]
    audit: str | None
    batch: str | None
    dry_run: bool


class OwnerInput(TypedDict, total=False):
    """Fields of a OwnerInput.

    Attributes:
        user: The name of a member or an admin.
    """

    user: Required[str]


class QuotaInput(TypedDict, total=False):
    """What the uploads of a person may use: a number, "none" for no limit, null for what everybody may."""

    max_bytes: int | Literal["none"] | None
    max_images: int | Literal["none"] | None


class PersonChanges(TypedDict, total=False):
    """Fields of a PersonChanges.

    Attributes:
        is_disabled: true ends every session and refuses every token.
    """

    role: Role | None
    is_disabled: bool | None
    quota: QuotaInput | None


class PriorityInput(TypedDict, total=False):
    """Fields of a PriorityInput.

    Attributes:
        priority: `first`: before the other jobs of the same person; `before_all`: before all jobs, for admins.
    """

    priority: Required[PriorityName]


class RetryInput(TypedDict, total=False):
    """Fields of a RetryInput.

    Attributes:
        jobs: Default: all jobs that failed.
    """

    jobs: list[str] | None


class ReviewInput(TypedDict, total=False):
    """Fields of a ReviewInput.

    Attributes:
        reviewer: Your own id: one for each open page or program.
        audit: Review this audit instead of the whole job.
        wanted: How many more pictures to hand out.
        after: `place` of the last picture that was handed out.
        holding: The pictures you still hold; all others are released.
        skipped: Pictures to skip, for other reviewers too.
        again: Also hand out skipped pictures.
        leaving: Release all pictures; none are handed out.
    """

    reviewer: Required[str]
    audit: str | None
    wanted: int
    after: list[int] | None
    holding: list[int]
    skipped: list[int]
    again: bool
    leaving: bool


class RollbackInput(TypedDict, total=False):
    """Fields of a RollbackInput.

    Attributes:
        in_use: The version to roll back from; with it, a repeated call does not roll back twice.
    """

    in_use: int | None


class ScheduleInput(TypedDict, total=False):
    """Fields of a ScheduleInput.

    Attributes:
        cron: Minute, hour, day of the month, month, day of the week: `0 3 * * SUN`.
        time_zone: Time zone of the cron line, such as Europe/Berlin.
        every_n_labels: Instead of a cron line, to retrain: after this many new labels.
        parameters: By name, with these defaults. retrain: network ('efficientnet-lite0'), start_from ('in_use'),
            uploads (None), labels_since (None), min_new_labels (1), training ({}), outcome ('keep'), min_gain (0.005),
            max_p (0.05), max_class_loss (0.02). classify: source (''), model (None), threshold (None), labelled
            (False). clean_up: older_than_days (None), below_bytes (None), keep_labelled (True). back_up: keep_daily
            (7), keep_weekly (4)..
    """

    name: Required[str]
    kind: Required[ScheduleKind]
    cron: str | None
    time_zone: str
    every_n_labels: int | None
    parameters: dict[str, Any]
    is_on: bool


class ScheduleChanges(TypedDict, total=False):
    """Fields of a ScheduleChanges.

    Attributes:
        parameters: The parameters to change; null restores the default.
        is_on: false pauses, true resumes; runs missed while paused are not made up.
        revision: The revision you have seen; refused (409) if the schedule has changed since.
    """

    name: str | None
    cron: str | None
    time_zone: str | None
    every_n_labels: int | None
    parameters: dict[str, Any] | None
    is_on: bool | None
    revision: int | None


class StudyInput(TypedDict, total=False):
    """Fields of a StudyInput.

    Attributes:
        id: The id of the job, so that a repeated call starts nothing twice; default: a new one.
        version: The version whose features are used; default: the version in use.
    """

    id: str | None
    version: int | None


class TokenInput(TypedDict, total=False):
    """Fields of a TokenInput.

    Attributes:
        name: What it is for.
        days: How long it works.
        scopes: What it may do, at most what you may; null for all that your role allows.
    """

    name: Required[str]
    days: int
    scopes: list[Right] | None


class TrainingDataInput(TypedDict, total=False):
    """Fields of a TrainingDataInput.

    Attributes:
        data: Ids of complete uploads, or `all` for everything labelled.
    """

    data: Required[Literal["all"] | list[str]]


class TrainingJobInput(TypedDict, total=False):
    """Fields of a TrainingJobInput.

    Attributes:
        data: Ids of complete uploads, or `all` for everything labelled.
        steps_per_epoch: Batches per epoch; default: as many as show every picture once.
        early_stopping: End after this many epochs without progress; 0: never.
        start_from: A version whose weights training starts from. Default: seed-cnn starts from scratch; efficientnet-
            lite0, whose last layers are trained, starts from its newest version.
        what: all; or head: only a new head, in seconds, on the features of `start_from`.
        id: The id of the job, so that a repeated call starts nothing twice; default: a new one.
    """

    data: Required[Literal["all"] | list[str]]
    network: Literal["seed-cnn", "efficientnet-lite0"] | None
    epochs: int | None
    steps_per_epoch: int | None
    batch_size: int | None
    learning_rate: float | None
    augmentation: Literal["none", "light", "strong"] | None
    seed: int | None
    early_stopping: int | None
    start_from: int | None
    what: Literal["all", "head"] | None
    id: str | None
    name: str | None


class TrainingParametersInput(TypedDict, total=False):
    """Fields of a TrainingParametersInput.

    Attributes:
        steps_per_epoch: Batches per epoch; default: as many as show every picture once.
        early_stopping: End after this many epochs without progress; 0: never.
        start_from: A version whose weights training starts from. Default: seed-cnn starts from scratch; efficientnet-
            lite0, whose last layers are trained, starts from its newest version.
        what: all; or head: only a new head, in seconds, on the features of `start_from`.
    """

    network: Literal["seed-cnn", "efficientnet-lite0"] | None
    epochs: int | None
    steps_per_epoch: int | None
    batch_size: int | None
    learning_rate: float | None
    augmentation: Literal["none", "light", "strong"] | None
    seed: int | None
    early_stopping: int | None
    start_from: int | None
    what: Literal["all", "head"] | None


class UndoInput(TypedDict, total=False):
    """Fields of a UndoInput.

    Attributes:
        id: Your own id of the undo: repeat the call with it until `is_finished`.
    """

    id: Required[str]


class UploadInput(TypedDict, total=False):
    """Fields of a UploadInput.

    Attributes:
        name: Shown to users; usually the name of the folder.
        labelled: Folder names (cats/, dogs/) are labels.
        for_training: The labels count once its owner or an admin trains on it, not when the upload is complete.
        discard_originals: Delete the originals once they are classified; labels and previews are kept.
    """

    name: str
    labelled: bool
    for_training: bool
    discard_originals: bool


class WebhookInput(TypedDict, total=False):
    """Fields of a WebhookInput.

    Attributes:
        name: What it is for.
        url: An https address; the operator may allow others.
        events: The types to send, of job.done, job.failed, job.cancelled, training.done, training.failed,
            training.cancelled, version.promoted, version.rolled_back, schedule.failed; empty for all, also those of
            later versions.
        scope: `own`: your jobs and schedules; `everybody`: those of all people, for admins.
    """

    name: Required[str]
    url: Required[str]
    events: list[Event]
    scope: Literal["own", "everybody"]


class WebhookChanges(TypedDict, total=False):
    """Fields of a WebhookChanges.

    Attributes:
        events: The types to send, of job.done, job.failed, job.cancelled, training.done, training.failed,
            training.cancelled, version.promoted, version.rolled_back, schedule.failed; empty for all, also those of
            later versions.
        is_on: false stops sending; true sends what still waits.
    """

    name: str | None
    url: str | None
    events: list[Event] | None
    is_on: bool | None
