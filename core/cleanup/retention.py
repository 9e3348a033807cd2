"""The jobs that a clean-up may delete: ended classify jobs, oldest first, whose pictures no other job needs."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from core.accounts.rights import Actor
from core.base.clock import DAY_S, db_now
from core.base.states import ACTIVE_STATES, JobKind, ScheduleKind
from core.cleanup import deletion
from core.jobs import jobs
from core.orm.jobs import Job
from core.orm.labels import Label
from core.orm.schedules import Schedule
from core.orm.training import ShardFeatures
from core.orm.uploads import Image, Shard, Upload


@dataclass(frozen=True, slots=True)
class Removal:
    """A job that was deleted, and how many bytes of pictures, with their features, went with it."""

    n_bytes: int


def list_old(session: Session, older_than_days: float, keep_labelled: bool) -> list[UUID]:
    """Jobs that ended this long ago, oldest first."""
    old = Job.finished_at < db_now(-older_than_days * DAY_S)
    return list(session.scalars(select(Job.uuid).where(*_may_go(session, keep_labelled), old).order_by(Job.id)))


def list_oldest(session: Session, keep_labelled: bool) -> list[UUID]:
    """All jobs that may go, oldest first."""
    return list(session.scalars(select(Job.uuid).where(*_may_go(session, keep_labelled)).order_by(Job.id)))


def count_bytes(session: Session) -> int:
    """How many bytes all uploads have, with their stored features."""
    pictures = session.scalar(select(func.sum(Upload.n_bytes)).where(Upload.deleted_at.is_(None)))
    return int(pictures or 0) + _count_features(session, Upload.deleted_at.is_(None))


def remove(session: Session, actor: Actor, uuid: UUID) -> Removal | None:
    """Delete a job as this person would; None when it was resumed or deleted since it was listed.

    Raises:
        Forbidden, NotFound, Gone: As `deletion.delete_job`.
    """
    job, uploads = jobs.lock_with_uploads(session, uuid)
    if job.state in ACTIVE_STATES:
        return None
    deletion.delete_job(session, actor, uuid)
    session.flush()
    gone = [upload for upload in uploads if upload.deleted_at is not None]
    kept = _count_features(session, Upload.id.in_([upload.id for upload in gone]))
    return Removal(sum(upload.n_bytes for upload in gone) + kept)


def _count_features(session: Session, of_uploads: ColumnElement[bool]) -> int:
    kept = select(func.sum(ShardFeatures.n_bytes)).join(Shard, Shard.id == ShardFeatures.shard_id)
    return int(session.scalar(kept.join(Upload, Upload.id == Shard.upload_id).where(of_uploads)) or 0)


def _may_go(session: Session, keep_labelled: bool) -> Iterator[ColumnElement[bool]]:
    yield Job.kind == JobKind.CLASSIFY
    yield Job.state.not_in(ACTIVE_STATES)
    yield Job.deleted_at.is_(None)
    if named := _named_by_schedules(session):
        yield Job.upload_id.not_in(select(Upload.id).where(Upload.uuid.in_(named)))
    if keep_labelled:
        yield Job.upload_id.not_in(select(Upload.id).where(Upload.labelled))
        yield Job.upload_id.not_in(select(Image.upload_id).join(Label, Label.image_id == Image.id))


def _named_by_schedules(session: Session) -> set[UUID]:
    """The uploads that schedules train on."""
    trains = (Schedule.kind == ScheduleKind.RETRAIN) & Schedule.deleted_at.is_(None)
    told = session.scalars(select(Schedule.parameters).where(trains))
    return {UUID(one) for parameters in told for one in parameters.get("uploads") or ()}
