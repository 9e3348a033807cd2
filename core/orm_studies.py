"""The table of studies: what a look through the labels found (core/studies.py)."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import db_now
from core.orm import Base


class Study(Base):
    """What one look through the labels found.

    `curve` has the measured points and what follows from them; `suspects` the labels that are probably wrong, most
    suspicious first; `wanted` the images that would teach most, most wanted first.
    """

    __tablename__ = "studies"
    __table_args__ = ({"sqlite_autoincrement": False},)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"), primary_key=True, autoincrement=False)
    version_id: Mapped[int] = mapped_column(ForeignKey("model_versions.id"))
    n_labels: Mapped[int]
    curve: Mapped[dict[str, Any]]
    suspects: Mapped[list[Any]]
    wanted: Mapped[list[Any]]
    created_at: Mapped[datetime] = mapped_column(insert_default=db_now())
