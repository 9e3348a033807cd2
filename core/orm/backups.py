"""The table of backups."""

from datetime import datetime

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from core.base.clock import db_now
from core.orm.base import Base


class Backup(Base):
    """A backup that was begun. While its lease runs, no blob is deleted, since it may not have copied it yet.

    `finished_at` is set when it is complete, with what it holds: `n_blobs` of `n_bytes` in all.
    """

    __tablename__ = "backups"
    id: Mapped[int] = mapped_column(primary_key=True)
    folder: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(insert_default=db_now())
    lease_until: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    n_blobs: Mapped[int] = mapped_column(default=0)
    n_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
