"""The table of labels."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from core.base.clock import db_now
from core.orm.base import Base, BigKey


def _where_given(name: str) -> Index:
    given = text(f"{name} IS NOT NULL")
    return Index(f"ix_labels_{name}", name, "id", sqlite_where=given, postgresql_where=given)


class Label(Base):
    """The label of a content by a person, or by a folder's name. Append-only; NULL withdraws.

    `key` is the sender's: sent twice, it is written once. `batch_id` and `audit_id` name the batch or audit that it
    belongs to (core/orm/review.py), `upload_id` the upload whose folder gave it (core/labels/folder_labels.py). A label
    with `undoes_id` undoes that one and repeats the label before it; one of a folder repeats nothing.
    """

    __tablename__ = "labels"
    __table_args__ = (
        Index("ix_labels_sha256", "sha256", "id"),
        *(_where_given(name) for name in ("batch_id", "audit_id", "undoes_id", "upload_id")),
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
    upload_id: Mapped[int | None]


class PendingLabel(Base):
    """The label of a folder that does not count yet: see core/labels/folder_labels.py."""

    __tablename__ = "pending_labels"
    __table_args__ = (
        Index("ix_pending_labels_upload_id", "upload_id"),
        Index("ix_pending_labels_sha256", "sha256", "upload_id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    upload_id: Mapped[int]
    sha256: Mapped[bytes]
    label: Mapped[str]
    user_id: Mapped[int | None]
