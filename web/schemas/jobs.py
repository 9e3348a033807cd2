"""Jobs: creating, changing, listing them."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, Field
from typing_extensions import TypeAliasType

from core.base.states import JobKind, JobState
from core.jobs.control.pausing import Pause
from core.jobs.listing.job_list import JobSort
from core.jobs.listing.tags import MAX_TAGS
from core.jobs.progress import JobView
from web.schemas.common import Input, Model, Moment, Name, NetworkOrNumber, OneOf, PageQuery, Share, Text, old_name
from web.schemas.operations import NAMES, PriorityName

JobStateFilter = TypeAliasType("JobStateFilter", Annotated[str, OneOf(("active", *JobState))])


class JobQuery(PageQuery):
    name: Text | None = Field(None, description="Only jobs whose name contains this text")
    search: Text | None = Field(
        None, description="Words: each in the name, a tag, the user or the network, or the number of the version"
    )
    state: JobStateFilter | None = Field(None, description="`active`: receiving, queued or running")
    user: Name | None = Field(None, description="Only jobs that this user created")
    since: Moment | None = Field(None, description="Created at this time or later, with time zone")
    before: Moment | None = Field(None, description="Created before this time, with time zone")
    tag: Name | None = Field(None, description="Only jobs with this tag")
    model: NetworkOrNumber | None = Field(
        None, description="Only jobs of this version, or of all versions of this network"
    )
    sort: JobSort = Field(JobSort.NEWEST, description="`pictures`: most pictures first; `state`: running ones first")


class JobIn(Input):
    upload: UUID
    model: Model | None = Field(
        None, description="A version number or the name of a network; default: the version in use"
    )
    threshold: Share | None = Field(None, description="Images below this confidence are marked unsure")
    name: Name | None = None


class JobPatch(Input):
    name: Name | None = None
    threshold: Share | None = None
    tags: list[Name] | None = Field(
        None, max_length=MAX_TAGS, description="All tags that the job has from now on; stored in lower case"
    )


class OwnerIn(Input):
    user: Name = Field(description="The name of a member or an admin")


class CancelIn(Input):
    keep_best: bool = Field(
        False, description="Only for a training: end it and keep the best epoch so far as a version"
    )


class Counts(BaseModel):
    """`n_images`: how many have arrived. `done` counts successes.

    `probably_neither` is a part of the unsure ones: the probability of neither is over 0.5.
    """

    n_images: int
    total: int = old_name("n_images")
    done: int
    failed: int
    by_label: dict[str, int]
    probably_neither: int


class JobOut(BaseModel):
    id: UUID
    kind: JobKind
    name: str
    state: JobState
    upload: UUID | None
    version: int | None = Field(description="The version that classifies, or that a training has made")
    model: int | None = old_name("version")
    threshold: float
    counts: Counts
    images_per_s: float | None
    eta_s: float | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: str | None
    originals_discarded_at: datetime | None
    tags: list[str]
    paused: Pause | None = Field(description="`job`: this job is paused; `everything`: all jobs are")
    priority: PriorityName
    workers: int | None = Field(
        description="How many workers for inference sent a heartbeat lately; null in lists, and once the job has ended"
    )

    @classmethod
    def from_view(cls, view: JobView) -> Self:
        """A job as the API shows it."""
        return cls(
            id=view.uuid,
            kind=JobKind(view.kind),
            name=view.name,
            state=JobState(view.state),
            upload=view.upload_uuid,
            version=view.model_version_id,
            model=view.model_version_id,
            threshold=view.threshold,
            counts=Counts(
                n_images=view.n_total,
                total=view.n_total,
                done=view.n_done,
                failed=view.n_failed,
                by_label=view.by_label,
                probably_neither=view.n_probably_neither,
            ),
            images_per_s=view.images_per_s,
            eta_s=view.eta_s,
            workers=view.n_workers if view.is_active else None,
            created_at=view.created_at,
            started_at=view.started_at,
            finished_at=view.finished_at,
            error=view.error,
            originals_discarded_at=view.discarded_at,
            tags=list(view.tags),
            paused=view.pause,
            priority=NAMES[view.priority],
        )


class JobPage(BaseModel):
    items: list[JobOut]
    next: str | None
