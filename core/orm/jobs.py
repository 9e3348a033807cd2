"""Tables of jobs and their chunks."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from core.base.clock import db_now
from core.base.leases import LeaseColumns
from core.base.states import ChunkState, JobKind
from core.orm.base import Base


class Job(Base):
    """Work that a user waits for. Counters are kept with the results, in the same transactions.

    `n_done` counts good results, `n_failed` error results, `n_total` the images that have arrived. `active_s` is the
    time in which results came, without nights in which nothing ran. `revision` grows with every change that a poller
    can see, `n_retries` with every retry, which takes error results away. Nothing of a job that `is_paused` is claimed;
    `priority` lets it go first (core/jobs/control/pausing.py). `lowest_decoding` and `highest_decoding` are numbers
    of the rules that made the pixels of its results: 0 before the first one, NULL for jobs older than the columns.
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
    n_retries: Mapped[int] = mapped_column(default=0, server_default="0")
    lowest_decoding: Mapped[int | None] = mapped_column(default=0)
    highest_decoding: Mapped[int | None] = mapped_column(default=0)
    is_paused: Mapped[bool] = mapped_column(default=False, server_default=false())
    priority: Mapped[int] = mapped_column(default=0, server_default="0")
    error: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(insert_default=db_now())
    started_at: Mapped[datetime | None]
    moved_at: Mapped[datetime | None]
    active_s: Mapped[float] = mapped_column(default=0.0, server_default="0")
    finished_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    purged_at: Mapped[datetime | None]


class PausedQueue(Base):
    """A queue from which workers claim nothing."""

    __tablename__ = "paused_queues"
    __table_args__ = ({"sqlite_autoincrement": False},)
    name: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime] = mapped_column(insert_default=db_now())
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class JobTag(Base):
    """One tag of a job (core/jobs/listing/tags.py)."""

    __tablename__ = "job_tags"
    __table_args__ = (Index("ix_job_tags_tag", "tag", "job_id"),)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    tag: Mapped[str] = mapped_column(primary_key=True)


class Chunk(LeaseColumns, Base):
    """One shard in one classify job: what a worker claims.

    `ready_at` says since when it can be claimed, `claimed_at` when it last was. `is_slow` marks a chunk whose remaining
    images take long to decode (core/uploads/decode_budget.py).
    """

    __tablename__ = "chunks"
    __table_args__ = (
        UniqueConstraint("job_id", "shard_id"),
        Index("ix_chunks_state", "state", "lease_until"),
        Index("ix_chunks_ready", "job_id", "state", "is_slow", "id"),
        Index("ix_chunks_claimed", "job_id", "claimed_at"),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"))
    shard_id: Mapped[int] = mapped_column(ForeignKey("shards.id"), index=True)
    state: Mapped[str] = mapped_column(default=ChunkState.READY)
    attempts: Mapped[int] = mapped_column(default=0)
    worker_id: Mapped[int | None]
    error: Mapped[str | None]
    ready_at: Mapped[datetime | None] = mapped_column(insert_default=db_now())
    claimed_at: Mapped[datetime | None]
    is_slow: Mapped[bool] = mapped_column(default=False, server_default=false())
