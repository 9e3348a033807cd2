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
    """What a person, or a folder's name, says of a content. Append-only; NULL withdraws.

    `key` is the sender's: sent twice, it is written once. `batch_id` and `audit_id` say as part of what it was given
    (tables of core/orm/review.py). A label with `undoes_id` takes that one back and says again what stood before.
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
