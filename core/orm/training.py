"""Tables of trainings: their data, epochs and splits, features that heads are fitted on, and near-duplicates."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, false
from sqlalchemy.orm import Mapped, mapped_column

from core.base.clock import db_now
from core.base.leases import LeaseColumns
from core.orm.base import Base


class Training(LeaseColumns, Base):
    """What a job that does not classify has in addition to its row in `jobs`.

    `attempts` counts claims since the last finished epoch that brought it no further than step `furthest`; after an
    error it is not claimed before `ready_at`. `data_key` and `state_key` are blobs: the contents chosen
    at the first start, and the state that training resumes from. `phase`, `step`, `n_steps` are its progress, and
    `phase_left_s` the seconds left in this phase. `found` sums up the dataset when the job was created.
    `keeps_best` asks a cancelled training to keep its best epoch as a version. `labels_since` excludes contents
    without a label since then. `decoding_change` is for evaluations: core/evaluation/decoding_change.py.
    """

    __tablename__ = "trainings"
    __table_args__ = ({"sqlite_autoincrement": False},)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"), primary_key=True, autoincrement=False)
    parameters: Mapped[dict[str, Any]]
    attempts: Mapped[int] = mapped_column(default=0)
    furthest: Mapped[int] = mapped_column(default=0, server_default="0")
    ready_at: Mapped[datetime | None]
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
    decoding_change: Mapped[dict[str, Any] | None]


class TrainingUpload(Base):
    """An upload that a training uses; a training without any uses everything labelled."""

    __tablename__ = "training_uploads"
    __table_args__ = ({"sqlite_with_rowid": False},)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    upload_id: Mapped[int] = mapped_column(ForeignKey("uploads.id"), primary_key=True, index=True)


class EpochRow(Base):
    """What one epoch of a training brought: see `model.training.trainer.Epoch`. Each number once."""

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


class ContentSplit(Base):
    """The split of a content: training, validation or test (stored as `judging`). Written once, never changed."""

    __tablename__ = "parts"
    __table_args__ = ({"sqlite_with_rowid": False},)
    sha256: Mapped[bytes] = mapped_column(primary_key=True)
    part: Mapped[str]


class ShardFeatures(Base):
    """Features of images of a shard, kept as one blob (core/training/features.py); there may be several.

    `decoding` is the number of the rules that made the pixels (core/decoding/decoded.py).
    """

    __tablename__ = "shard_features"
    __table_args__ = (Index("ix_shard_features_shard", "shard_id", "body"), {"sqlite_autoincrement": True})
    id: Mapped[int] = mapped_column(primary_key=True)
    shard_id: Mapped[int] = mapped_column(ForeignKey("shards.id"))
    body: Mapped[str] = mapped_column(index=True)
    blob_key: Mapped[str] = mapped_column(unique=True)
    n_images: Mapped[int]
    n_bytes: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    decoding: Mapped[int] = mapped_column(default=1, server_default="1")


class Sketch(Base):
    """A picture in 32 x 32 greys, row by row: `model.arrays.near_duplicates.sketch`."""

    __tablename__ = "sketches"
    __table_args__ = ({"sqlite_with_rowid": False},)
    sha256: Mapped[bytes] = mapped_column(primary_key=True)
    greys: Mapped[bytes]


class NearDuplicate(Base):
    """A content that is almost identical to others. All of one group have the same `group_id`: their smallest SHA-256.

    `is_bridge`: it is similar to pictures of different splits, so it is used in none.
    """

    __tablename__ = "twins"
    __table_args__ = ({"sqlite_with_rowid": False},)
    sha256: Mapped[bytes] = mapped_column(primary_key=True)
    group_id: Mapped[bytes] = mapped_column(index=True)
    is_bridge: Mapped[bool]
