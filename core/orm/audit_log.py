"""The table of the audit log. No foreign keys: an entry outlives everybody and everything that it names.

It is append-only. On SQLite triggers refuse changes, so a migration that rebuilds the table has to make them again; on
PostgreSQL the role of web and workers may only insert and select (migrations/privileges.py).
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from core.base.clock import db_now
from core.orm.base import Base, BigKey


class AuditEntry(Base):
    """Who did what, with which credential, from where, when, and with what outcome.

    `user_name` is the name at that time; empty if nobody was logged in. `via` is empty for work that Pawsort does by
    itself. `object_id` is an id as text, since uploads and jobs have UUIDs and others numbers.
    """

    __tablename__ = "audit_log"
    __table_args__ = (
        Index("ix_audit_log_at", "at", "id"),
        Index("ix_audit_log_user", "user_name", "at", "id"),
        Index("ix_audit_log_action", "action", "at", "id"),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    at: Mapped[datetime] = mapped_column(insert_default=db_now())
    user_id: Mapped[int | None]
    user_name: Mapped[str]
    via: Mapped[str]
    credential_id: Mapped[int | None]
    address: Mapped[str]
    action: Mapped[str]
    object_kind: Mapped[str]
    object_id: Mapped[str]
    outcome: Mapped[str]
    details: Mapped[dict[str, Any]]
