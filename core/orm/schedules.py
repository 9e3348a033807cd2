"""The tables of schedules, their runs, and the files that were imported."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.base.clock import db_now
from core.base.leases import LeaseColumns
from core.base.states import OPEN_RUN_STATES as OPEN_RUN_STATES
from core.base.states import RunState as RunState
from core.base.states import ScheduleKind as ScheduleKind
from core.orm.base import Base


class Schedule(Base):
    """A rule that creates runs: when a cron line is due, or after a number of new labels.

    `next_run_at` is when it is due next; the tick that moves it on, and no other, creates the run.
    `label_mark` is the id of the newest label at the last training. `revision` grows with every edit. Deleted
    ones stay, as their runs are the history. One with neither a cron line nor a number of labels is an import
    (core/schedules/imports.py): it has one run, and is hidden.
    """

    __tablename__ = "schedules"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str]
    cron: Mapped[str | None]
    time_zone: Mapped[str]
    every_n_labels: Mapped[int | None]
    parameters: Mapped[dict[str, Any]]
    is_on: Mapped[bool]
    next_run_at: Mapped[datetime | None]
    label_mark: Mapped[int] = mapped_column(BigInteger, default=0)
    revision: Mapped[int] = mapped_column(default=1)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(insert_default=db_now())
    deleted_at: Mapped[datetime | None]

    @property
    def is_import(self) -> bool:
        """Whether it is the import of a source, once."""
        return self.cron is None and self.every_n_labels is None


class ScheduleRun(LeaseColumns, Base):
    """One execution of a schedule. Exactly one for each schedule and moment.

    `n_due` counts the due times that it covers: more than one when Pawsort was not running. `user_id` is the person who
    started it by hand. `parameters` are those of the schedule when it began. `work_uuid` is the id of the job (and
    upload) that the run creates, chosen in advance, so that a run that was killed finds it again. `details` is what
    the page shows in addition to `outcome`. `attempts` counts its errors; after one it waits until `ready_at`.
    """

    __tablename__ = "schedule_runs"
    __table_args__ = (
        UniqueConstraint("schedule_id", "due_at"),
        Index("ix_schedule_runs_listed", "schedule_id", "id"),
        Index("ix_schedule_runs_state", "state"),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedules.id"))
    due_at: Mapped[datetime]
    n_due: Mapped[int] = mapped_column(default=1)
    is_late: Mapped[bool] = mapped_column(default=False)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    parameters: Mapped[dict[str, Any]]
    state: Mapped[str]
    work_uuid: Mapped[UUID] = mapped_column(unique=True)
    job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id"), index=True)
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    ready_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(default="")
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    started_at: Mapped[datetime] = mapped_column(insert_default=db_now())
    finished_at: Mapped[datetime | None]


class ImportedFile(Base):
    """A file of a watched folder or bucket that a schedule has taken in, as it was then. The path is kept as a hash."""

    __tablename__ = "imported_files"
    __table_args__ = ({"sqlite_with_rowid": False},)
    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedules.id"), primary_key=True)
    path_key: Mapped[bytes] = mapped_column(primary_key=True)
    n_bytes: Mapped[int] = mapped_column(BigInteger)
    mtime_ns: Mapped[int] = mapped_column(BigInteger)
    run_id: Mapped[int] = mapped_column(ForeignKey("schedule_runs.id"))
