"""Filters of the list of jobs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from core.base.states import JobState
from core.orm.accounts import User
from core.orm.jobs import Job, JobTag
from core.orm.models import ModelVersion

_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


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
        search: Words. Each is in the name, in a tag, in the name of the person who created it or in that of the
            network, or it is the number of the version.
    """

    name: str | None = None
    states: tuple[JobState, ...] = ()
    user: str | None = None
    since: datetime | None = None
    before: datetime | None = None
    tag: str | None = None
    model: str | None = None
    search: str | None = None

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
        for word in (self.search or "").split():
            yield _mentions(word)


def _mentions(word: str) -> ColumnElement[bool]:
    def has(column: InstrumentedAttribute[str]) -> ColumnElement[bool]:
        return column.icontains(word, autoescape=True)

    return or_(
        has(Job.name),
        Job.id.in_(select(JobTag.job_id).where(has(JobTag.tag))),
        Job.user_id.in_(select(User.id).where(has(User.name))),
        Job.model_version_id.in_(select(ModelVersion.id).where(has(ModelVersion.network))),
        *([Job.model_version_id == int(word)] if _NUMBER.fullmatch(word) else []),
    )


EVERY_JOB = JobFilter()
