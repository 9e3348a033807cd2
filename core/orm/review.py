"""The tables of reviewing: batches of labels, pictures claimed by reviewers, and audits."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.base.clock import db_now
from core.base.states import BatchKind as BatchKind
from core.orm.base import Base, BigKey


class LabelBatch(Base):
    """Many pictures of a job labelled at once, or such a batch undone. Written slice by slice.

    `wanted` is the filter that chose the pictures, `threshold_milli` the threshold that it was seen at. `position` is
    the last image (of an undo: the last label) that was processed; `finished_at` is set when none is left. `is_whole`
    says that the whole job was confirmed, without a filter. The kind `folders` labels by the folders of files, the kind
    `list` by a list of pictures; only this one has no job.
    """

    __tablename__ = "label_batches"
    __table_args__ = (Index("ix_label_batches_job_id", "job_id", "id"), {"sqlite_autoincrement": True})
    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[UUID] = mapped_column(unique=True)
    job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    kind: Mapped[str]
    label: Mapped[str | None]
    wanted: Mapped[dict[str, Any]]
    threshold_milli: Mapped[int]
    is_whole: Mapped[bool]
    undo_of_id: Mapped[int | None] = mapped_column(ForeignKey("label_batches.id"), unique=True)
    position: Mapped[int] = mapped_column(BigInteger, default=0)
    n_labels: Mapped[int] = mapped_column(default=0)
    n_skipped: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(insert_default=db_now())
    finished_at: Mapped[datetime | None]


class ReviewClaim(Base):
    """A picture that a reviewer (one open page) holds until `lease_until`, or that was skipped.

    `audit_id` is 0 in the job's own review.
    """

    __tablename__ = "review_claims"
    __table_args__ = ({"sqlite_with_rowid": False},)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    audit_id: Mapped[int] = mapped_column(primary_key=True)
    image_id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    reviewer: Mapped[UUID]
    lease_until: Mapped[datetime]
    skipped_at: Mapped[datetime | None]


class Audit(Base):
    """A random sample of a job's good results, labelled by people who do not see the predictions.

    `size` is the requested size, `n_images` were drawn out of `n_population`. Drawn once, never changed.
    """

    __tablename__ = "audits"
    __table_args__ = (Index("ix_audits_job_id", "job_id", "id"), {"sqlite_autoincrement": True})
    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[UUID] = mapped_column(unique=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    seed: Mapped[int] = mapped_column(BigInteger)
    size: Mapped[int]
    n_images: Mapped[int]
    n_population: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(insert_default=db_now())


class AuditPicture(Base):
    """One picture of a sample, with its prediction (as in `Result`), which stays when the job is deleted."""

    __tablename__ = "audit_pictures"
    __table_args__ = ({"sqlite_with_rowid": False},)
    audit_id: Mapped[int] = mapped_column(ForeignKey("audits.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    image_id: Mapped[int] = mapped_column(BigKey)
    sha256: Mapped[bytes]
    class_index: Mapped[int]
    confidence: Mapped[int]
