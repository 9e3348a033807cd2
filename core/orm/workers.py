"""The table of workers."""

from datetime import datetime
from typing import Any

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
