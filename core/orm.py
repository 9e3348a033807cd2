"""The tables. Meaning of the words: docs/architecture.md.

Integer primary keys are never reused (AUTOINCREMENT on SQLite), so a stale page cannot act on another row. Uploads and
jobs are known outside by the `uuid` their caller chose. Deleted uploads and jobs stay as empty rows with `deleted_at`.
"""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, UniqueConstraint, Uuid, false, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import Integer

from core.clock import Instant, db_now
from core.states import ACTIVE_STATES as ACTIVE_STATES
from core.states import ChunkState as ChunkState
from core.states import JobKind as JobKind
from core.states import JobState as JobState
from core.states import LabelSource as LabelSource
from core.states import UploadState as UploadState

BigKey = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    type_annotation_map: ClassVar = {
        datetime: Instant,
        dict[str, Any]: JSON,
        list[Any]: JSON,
        UUID: Uuid,
        bytes: LargeBinary,
    }
    __table_args__: Any = {"sqlite_autoincrement": True}  # noqa: RUF012


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(insert_default=db_now())


class Token(Base):
    """A bearer token; only its SHA-256 is kept."""

    __tablename__ = "tokens"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str]
    digest: Mapped[bytes] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(insert_default=db_now())
    revoked_at: Mapped[datetime | None]


class Upload(Base):
    """A set of images as a person sent it. `n_bytes` counts whole shards, or what is left of them.

    `discards` asks for the originals to go once they are classified, `discarded_at` says since when they count as gone
    (core/discarding.py).
    """

    __tablename__ = "uploads"
    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[UUID] = mapped_column(unique=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str]
    labelled: Mapped[bool]
    state: Mapped[str] = mapped_column(default=UploadState.RECEIVING)
    n_shards: Mapped[int] = mapped_column(default=0)
    n_images: Mapped[int] = mapped_column(default=0)
    n_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    n_skipped: Mapped[int] = mapped_column(default=0)
    skipped: Mapped[list[Any]] = mapped_column(default=list)
    created_at: Mapped[datetime] = mapped_column(insert_default=db_now())
    received_at: Mapped[datetime] = mapped_column(insert_default=db_now())
    completed_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    purged_at: Mapped[datetime | None]
    discards: Mapped[bool] = mapped_column(default=False, server_default=false())
    discarded_at: Mapped[datetime | None]


class Shard(Base):
    """One tar of an upload, stored as one blob.

    `thumbnails_key` is the blob of small pictures that takes its place when originals are discarded, `is_gone` says
    that its own blob has been removed.
    """

    __tablename__ = "shards"
    __table_args__ = (UniqueConstraint("upload_id", "seq"), {"sqlite_autoincrement": True})
    id: Mapped[int] = mapped_column(primary_key=True)
    upload_id: Mapped[int] = mapped_column(ForeignKey("uploads.id"))
    seq: Mapped[int]
    blob_key: Mapped[str] = mapped_column(unique=True)
    sha256: Mapped[bytes]
    n_bytes: Mapped[int]
    n_images: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(insert_default=db_now())
    thumbnails_key: Mapped[str | None]
    is_gone: Mapped[bool] = mapped_column(default=False, server_default=false())


class ShardFeatures(Base):
    """What a network's body makes of images of a shard, kept as one blob (core/features.py); there may be several."""

    __tablename__ = "shard_features"
    __table_args__ = (Index("ix_shard_features_shard", "shard_id", "body"), {"sqlite_autoincrement": True})
    id: Mapped[int] = mapped_column(primary_key=True)
    shard_id: Mapped[int] = mapped_column(ForeignKey("shards.id"))
    body: Mapped[str] = mapped_column(index=True)
    blob_key: Mapped[str] = mapped_column(unique=True)
    n_images: Mapped[int]
    n_bytes: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")


class Image(Base):
    """One file of a shard. `ordinal` = shard's seq * 256 + position: the order of the upload.

    `declared_bytes` is set when the file was too large to be sent: its bytes are not here. `error_code` is set when a
    file of a labelled upload was seen to be unreadable as it came in (core/signatures.py), without decoding it.
    """

    __tablename__ = "images"
    __table_args__ = (
        UniqueConstraint("upload_id", "ordinal"),
        Index("ix_images_sha256", "sha256"),
        Index("ix_images_path", "upload_id", "path", "ordinal"),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    upload_id: Mapped[int] = mapped_column(ForeignKey("uploads.id"))
    shard_id: Mapped[int] = mapped_column(ForeignKey("shards.id"), index=True)
    ordinal: Mapped[int] = mapped_column(BigInteger)
    path: Mapped[str]
    offset: Mapped[int]
    n_bytes: Mapped[int]
    declared_bytes: Mapped[int | None] = mapped_column(BigInteger)
    sha256: Mapped[bytes]
    error_code: Mapped[str | None]


class ModelVersion(Base):
    """A trained network with its manifest. `id` is the number people see. Immutable.

    A deleted one stays as a row, for what jobs, results and deployments say of it; its weights are gone. `body` is the
    SHA-256 of its layers below the head, filled in by whoever first loads it: versions that share it see the same
    features.
    """

    __tablename__ = "model_versions"
    id: Mapped[int] = mapped_column(primary_key=True)
    network: Mapped[str] = mapped_column(index=True)
    digest: Mapped[str] = mapped_column(unique=True)
    manifest: Mapped[dict[str, Any]]
    body: Mapped[str | None] = mapped_column(index=True)
    created_at: Mapped[datetime] = mapped_column(insert_default=db_now())
    deleted_at: Mapped[datetime | None]
    purged_at: Mapped[datetime | None]


class Deployment(Base):
    """One line of the history of which version was in use; the newest one counts.

    `previous_id` is the line that rolling back from this one repeats. A line written by a roll back takes over that of
    the line it repeats, so that the next one goes further back.
    """

    __tablename__ = "deployments"
    id: Mapped[int] = mapped_column(primary_key=True)
    model_version_id: Mapped[int] = mapped_column(ForeignKey("model_versions.id"))
    previous_id: Mapped[int | None] = mapped_column(ForeignKey("deployments.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(insert_default=db_now())


class Job(Base):
    """Work that somebody waits for. Counters are kept with the results, in the same transactions.

    `n_done` counts good results, `n_failed` error results, `n_total` the images that have arrived. `active_s` is the
    time in which results came, without nights in which nothing ran. `revision` grows with every change that a poller
    can see.
    """

    __tablename__ = "jobs"
    __table_args__ = (Index("ix_jobs_listed", "deleted_at", "id"), {"sqlite_autoincrement": True})
    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[UUID] = mapped_column(unique=True)
    kind: Mapped[str] = mapped_column(default=JobKind.CLASSIFY)
    name: Mapped[str]
    state: Mapped[str] = mapped_column(index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    upload_id: Mapped[int | None] = mapped_column(ForeignKey("uploads.id"), index=True)
    model_version_id: Mapped[int | None] = mapped_column(ForeignKey("model_versions.id"))
    threshold_milli: Mapped[int] = mapped_column(default=0)
    n_total: Mapped[int] = mapped_column(default=0)
    n_done: Mapped[int] = mapped_column(default=0)
    n_failed: Mapped[int] = mapped_column(default=0)
    n_chunks: Mapped[int] = mapped_column(default=0)
    n_chunks_done: Mapped[int] = mapped_column(default=0)
    revision: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(insert_default=db_now())
    started_at: Mapped[datetime | None]
    moved_at: Mapped[datetime | None]
    active_s: Mapped[float] = mapped_column(default=0.0, server_default="0")
    finished_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    purged_at: Mapped[datetime | None]


class Chunk(Base):
    """One shard in one classify job: what a message names and a worker claims. `ready_at`: since when it could be."""

    __tablename__ = "chunks"
    __table_args__ = (
        UniqueConstraint("job_id", "shard_id"),
        Index("ix_chunks_state", "state", "lease_until"),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"))
    shard_id: Mapped[int] = mapped_column(ForeignKey("shards.id"), index=True)
    state: Mapped[str] = mapped_column(default=ChunkState.READY)
    lease_until: Mapped[datetime | None]
    fence: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    worker_id: Mapped[int | None]
    error: Mapped[str | None]
    ready_at: Mapped[datetime | None] = mapped_column(insert_default=db_now())


class Result(Base):
    """What one version says of one image in one job: probabilities or an error code. Exactly one for each image.

    `class_index` is the class with the larger probability, `confidence` that probability in millionths. Whether it is
    shown as unsure depends on the job's threshold and is never stored. `heat` has a byte for each of 7 x 7 places, row
    by row: how much it speaks for that class (`model.heads.draw_heat`); only for networks that keep places. `looks` is
    near for pictures that look alike (core/likeness.py); 0 where nobody looked.
    """

    __tablename__ = "results"
    __table_args__ = (
        Index("ix_results_confidence", "job_id", "class_index", "confidence", "image_id"),
        Index("ix_results_doubt", "job_id", "confidence", "image_id"),
        Index("ix_results_looks", "job_id", "looks", "image_id"),
        {"sqlite_with_rowid": False},
    )
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    image_id: Mapped[int] = mapped_column(BigKey, primary_key=True)  # no foreign key: checking it would need an index
    class_index: Mapped[int | None]
    confidence: Mapped[int | None]
    probabilities: Mapped[list[Any] | None]
    error_code: Mapped[str | None]
    heat: Mapped[bytes | None]
    looks: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")


class HistogramBin(Base):
    """How many good results of a job have this class on top with a confidence in this thousandth."""

    __tablename__ = "histogram_bins"
    __table_args__ = ({"sqlite_with_rowid": False},)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    class_index: Mapped[int] = mapped_column(primary_key=True)
    bin: Mapped[int] = mapped_column(primary_key=True)
    n: Mapped[int]


class Judgement(Base):
    """What a version says of a content of the judging part, beside what people say. One for each version and content.

    `class_index` and `confidence` as in `Result`; `p_label` is the probability, in millionths, of what people say.
    `job_id` is the job that judged: each replaces all that an earlier one said of the same version.
    """

    __tablename__ = "judgements"
    __table_args__ = (
        Index("ix_judgements_sha256", "sha256"),
        Index("ix_judgements_confidence", "version_id", "confidence", "sha256"),
        Index("ix_judgements_p_label", "version_id", "p_label", "sha256"),
        {"sqlite_with_rowid": False},
    )
    version_id: Mapped[int] = mapped_column(ForeignKey("model_versions.id"), primary_key=True)
    sha256: Mapped[bytes] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"))
    label: Mapped[str]
    class_index: Mapped[int]
    confidence: Mapped[int]
    p_label: Mapped[int]
    probabilities: Mapped[list[Any]]


class ContentPart(Base):
    """What a content is for: training, validation or judging. Written once, never changed."""

    __tablename__ = "parts"
    __table_args__ = ({"sqlite_with_rowid": False},)
    sha256: Mapped[bytes] = mapped_column(primary_key=True)
    part: Mapped[str]


class Training(Base):
    """What a job of the kind `train` or `judge` has beside its row in `jobs`.

    `attempts` counts claims since the last finished epoch. `data_key` and `state_key` are blobs: the contents chosen
    at the first start, and what training goes on from. `phase`, `step`, `n_steps` say what is happening now, and
    `phase_left_s` how many seconds of that are left. `found` is what was there to learn from when the job was created.
    `keeps_best` asks a cancelled training to keep its best epoch as a version. `labels_since` leaves out contents of
    which nothing was said since then.
    """

    __tablename__ = "trainings"
    __table_args__ = ({"sqlite_autoincrement": False},)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"), primary_key=True, autoincrement=False)
    parameters: Mapped[dict[str, Any]]
    lease_until: Mapped[datetime | None]
    fence: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    worker_id: Mapped[int | None]
    data_key: Mapped[str | None]
    state_key: Mapped[str | None]
    phase: Mapped[str] = mapped_column(default="")
    step: Mapped[int] = mapped_column(default=0)
    n_steps: Mapped[int] = mapped_column(default=0)
    phase_left_s: Mapped[float | None]
    found: Mapped[dict[str, Any] | None]
    keeps_best: Mapped[bool] = mapped_column(default=False, server_default=false())
    labels_since: Mapped[datetime | None]


class TrainingUpload(Base):
    """An upload that a training learns from; a training without any learns from everything labelled."""

    __tablename__ = "training_uploads"
    __table_args__ = ({"sqlite_with_rowid": False},)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    upload_id: Mapped[int] = mapped_column(ForeignKey("uploads.id"), primary_key=True, index=True)


class EpochRow(Base):
    """What one epoch of a training brought: see `model.train.Epoch`. Each number once."""

    __tablename__ = "epochs"
    __table_args__ = ({"sqlite_with_rowid": False},)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    loss: Mapped[float]
    accuracy: Mapped[float]
    val_loss: Mapped[float]
    val_accuracy: Mapped[float]
    learning_rate: Mapped[float]
    seconds: Mapped[float]
    images_per_s: Mapped[float]
    created_at: Mapped[datetime] = mapped_column(insert_default=db_now())


def _where_given(name: str) -> Index:
    given = text(f"{name} IS NOT NULL")
    return Index(f"ix_labels_{name}", name, "id", sqlite_where=given, postgresql_where=given)


class Label(Base):
    """What a person, or a folder's name, says of a content. Append-only; NULL withdraws.

    `key` is the sender's: sent twice, it is written once. `batch_id` and `audit_id` say as part of what it was given
    (tables of core/orm_labelling.py). A label with `undoes_id` takes that one back and says again what stood before.
    """

    __tablename__ = "labels"
    __table_args__ = (
        Index("ix_labels_sha256", "sha256", "id"),
        *(_where_given(name) for name in ("batch_id", "audit_id", "undoes_id")),
        Index("ix_labels_key", "key", unique=True),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[bytes]
    image_id: Mapped[int | None] = mapped_column(BigKey)
    label: Mapped[str | None]
    source: Mapped[str]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(insert_default=db_now())
    key: Mapped[UUID | None]
    batch_id: Mapped[int | None]
    audit_id: Mapped[int | None]
    undoes_id: Mapped[int | None]


class Worker(Base):
    """A process that takes work. Alive for 15 s after its last beat."""

    __tablename__ = "workers"
    id: Mapped[int] = mapped_column(primary_key=True)
    host: Mapped[str]
    pid: Mapped[int]
    queue: Mapped[str]
    device: Mapped[str]
    versions: Mapped[dict[str, Any]]
    started_at: Mapped[datetime] = mapped_column(insert_default=db_now())
    beat_at: Mapped[datetime] = mapped_column(insert_default=db_now())
    stopped_at: Mapped[datetime | None]
