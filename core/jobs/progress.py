"""How far jobs are, as pages and programs see it: counts by label, rate, time left. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from core.accounts import accounts
from core.base.network_catalog import CLASSES
from core.base.states import ACTIVE_STATES, JobKind, JobState
from core.jobs.confidence import UNSURE
from core.jobs.control.pausing import Pause, Priority
from core.jobs.listing import tags as job_tags
from core.messaging.broker import INFERENCE
from core.operations import pauses, workers
from core.orm.jobs import Job
from core.orm.models import ModelVersion
from core.orm.results import HistogramBin
from core.orm.uploads import Upload

SHORTEST_S = 0.001  # a clock may stand still over a small job
MIN_TELLING = 100  # of smaller jobs most of the time is a worker's reaction


@dataclass(frozen=True)
class JobView:
    """A job as it is shown. `n_done` counts successes, `n_total` what has arrived; times in seconds.

    `n_probably_neither` is a part of `by_label["unsure"]`. `n_workers` is set by `with_workers`.
    """

    uuid: UUID
    kind: str
    name: str
    state: str
    upload_uuid: UUID | None
    upload_state: str | None
    n_skipped: int
    discards: bool
    discarded_at: datetime | None
    model_version_id: int | None
    network: str | None
    threshold: float
    n_total: int
    n_done: int
    n_failed: int
    by_label: dict[str, int]
    n_probably_neither: int
    images_per_s: float | None
    eta_s: float | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: str | None
    revision: int
    user_id: int | None = None
    user: str | None = None
    n_workers: int | None = None
    pause: Pause | None = None
    priority: Priority = Priority.NORMAL
    tags: tuple[str, ...] = ()

    @property
    def is_active(self) -> bool:
        """Whether anything can still happen by itself."""
        return self.state in ACTIVE_STATES


@dataclass(frozen=True)
class LabelCounts:
    """How many images have each class as their label, and how many unsure ones are probably neither."""

    by_class: dict[str, int]
    n_probably_neither: int


NOTHING_COUNTED = LabelCounts({}, 0)


def describe(session: Session, job: Job) -> JobView:
    """One job with its counts."""
    return describe_all(session, [job])[0]


def describe_all(session: Session, jobs: Sequence[Job]) -> list[JobView]:
    """Several jobs with their counts, in a fixed number of statements."""
    if not jobs:
        return []
    counts = _count_labels(session, jobs)
    upload_ids, version_ids = {job.upload_id for job in jobs}, {job.model_version_id for job in jobs}
    uploads = {row.id: row for row in session.scalars(select(Upload).where(Upload.id.in_(upload_ids)))}
    versions = {row.id: row for row in session.scalars(select(ModelVersion).where(ModelVersion.id.in_(version_ids)))}
    names = accounts.list_names(session)
    tags = job_tags.find_tags(session, [job.id for job in jobs])
    pause_of_all = Pause.EVERYTHING if pauses.find_pause(session) is not None else None
    return [
        _view(
            job,
            counts.get(job.id, NOTHING_COUNTED),
            uploads.get(job.upload_id or 0),
            versions.get(job.model_version_id or 0),
            names.get(job.user_id or 0),
            tags.get(job.id, ()),
            Pause.JOB if job.is_paused else pause_of_all,
        )
        for job in jobs
    ]


def count_workers(session: Session, job: Job, responding_s: float) -> int:
    """How many workers for inference have sent a heartbeat within this time; 0 for a job that has ended."""
    return workers.count_alive(session, INFERENCE, responding_s) if job.state in ACTIVE_STATES else 0


def with_workers(view: JobView, n_workers: int) -> JobView:
    """A job with the number of workers; without one, nothing is known about its speed and the time left."""
    if n_workers > 0 or not view.is_active:
        return replace(view, n_workers=n_workers)
    return replace(view, n_workers=n_workers, images_per_s=None, eta_s=None)


def find_paces(session: Session) -> dict[int, float]:
    """Images per second by version: of its newest job that is done and was large enough to say."""
    measured = (Job.kind == JobKind.CLASSIFY) & (Job.state == JobState.DONE) & (Job.n_total >= MIN_TELLING)
    newest = select(func.max(Job.id)).where(measured, Job.deleted_at.is_(None)).group_by(Job.model_version_id)
    jobs = session.scalars(select(Job).where(Job.id.in_(newest)))
    return {job.model_version_id: rate for job in jobs if job.model_version_id and (rate := _images_per_s(job))}


def _count_labels(session: Session, jobs: Sequence[Job]) -> dict[int, LabelCounts]:
    """Sums over the bins of each job, on both sides of its threshold."""
    is_sure = HistogramBin.bin >= Job.threshold_milli
    rows = session.execute(
        select(
            Job.id,
            HistogramBin.class_index,
            func.sum(case((is_sure, HistogramBin.n), else_=0)),
            func.sum(case((is_sure, 0), else_=HistogramBin.n_neither)),
        )
        .join(HistogramBin, HistogramBin.job_id == Job.id)
        .where(Job.id.in_([job.id for job in jobs]))
        .group_by(Job.id, HistogramBin.class_index)
    )
    counts: dict[int, LabelCounts] = {}
    for job_id, class_index, n_sure, n_neither in rows:
        before = counts.get(job_id, NOTHING_COUNTED)
        by_class = {**before.by_class, CLASSES[class_index]: int(n_sure)}
        counts[job_id] = LabelCounts(by_class, before.n_probably_neither + int(n_neither))
    return counts


def _view(
    job: Job,
    counts: LabelCounts,
    upload: Upload | None,
    version: ModelVersion | None,
    user: str | None,
    tags: tuple[str, ...],
    pause: Pause | None,
) -> JobView:
    by_label = {name: counts.by_class.get(name, 0) for name in CLASSES}
    rate = _images_per_s(job)
    left = job.n_total - job.n_done - job.n_failed
    return JobView(
        uuid=job.uuid,
        kind=job.kind,
        name=job.name,
        state=job.state,
        upload_uuid=upload.uuid if upload else None,
        upload_state=upload.state if upload else None,
        n_skipped=upload.n_skipped if upload else 0,
        discards=upload.discards if upload else False,
        discarded_at=upload.discarded_at if upload else None,
        model_version_id=job.model_version_id,
        network=version.network if version else None,
        threshold=job.threshold_milli / 1000,
        n_total=job.n_total,
        n_done=job.n_done,
        n_failed=job.n_failed,
        by_label=by_label | {UNSURE: job.n_done - sum(by_label.values())},
        n_probably_neither=counts.n_probably_neither,
        images_per_s=rate,
        eta_s=left / rate if rate and job.state in ACTIVE_STATES and pause is None else None,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        error=job.error,
        revision=job.revision,
        user_id=job.user_id,
        user=user,
        tags=tags,
        pause=pause if job.state in ACTIVE_STATES else None,
        priority=Priority(job.priority),
    )


def _images_per_s(job: Job) -> float | None:
    n_results = job.n_done + job.n_failed
    return n_results / max(job.active_s, SHORTEST_S) if n_results else None
