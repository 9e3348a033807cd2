"""Filters of the list of jobs."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select

from core.base.states import JobState
from core.orm.accounts import User
from core.orm.jobs import Job, JobTag
from core.orm.models import ModelVersion


@dataclass(frozen=True)
class JobFilter:
    """Only jobs that fit all of this.

    Attributes:
        name: Text that the name contains, ignoring case.
        states: One of these.
        user: The name of the person who created it.
        since: Created at this moment or later.
        before: Created before this moment.
        tag: A tag that it has.
        model: The version that it used or produced: a number, or the name of a network for all of its versions.
    """

    name: str | None = None
    states: tuple[JobState, ...] = ()
    user: str | None = None
    since: datetime | None = None
    before: datetime | None = None
    tag: str | None = None
    model: str | None = None

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        """For WHERE."""
        if self.name:
            yield Job.name.icontains(self.name, autoescape=True)
        if self.states:
            yield Job.state.in_(self.states)
        if self.user is not None:
            yield Job.user_id.in_(select(User.id).where(User.name == self.user))
        if self.since is not None:
            yield Job.created_at >= self.since
        if self.before is not None:
            yield Job.created_at < self.before
        if self.tag is not None:
            yield Job.id.in_(select(JobTag.job_id).where(JobTag.tag == self.tag.lower()))
        if self.model is not None and self.model.isdecimal():
            yield Job.model_version_id == int(self.model)
        elif self.model is not None:
            yield Job.model_version_id.in_(select(ModelVersion.id).where(ModelVersion.network == self.model))


EVERY_JOB = JobFilter()
