"""Tables of core.operations: workers, counters of all processes, backups."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from core.base.clock import db_now
from core.orm.base import Base


class Worker(Base):
    """A process that takes work. It is alive until three heartbeats are missing (`Settings.alive_s`)."""

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


class MetricValue(Base):
    """The sum over all processes of what was counted under a name and its labels. Never falls."""

    __tablename__ = "measures"
    __table_args__ = ({"sqlite_with_rowid": False},)
    name: Mapped[str] = mapped_column(primary_key=True)
    labels: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[float]


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
