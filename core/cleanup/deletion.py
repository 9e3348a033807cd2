"""Deleting: what is deleted is hidden at once; its rows and bytes go in slices later (core/cleanup/purge.py)."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from core.accounts.audit_log import Action, record
from core.accounts.rights import Actor, Right, check_owner, check_right
from core.base.clock import db_now
from core.base.database import locked
from core.base.errors import Conflict, InUse
from core.base.states import ACTIVE_STATES, JobState
from core.jobs import job_states, jobs
from core.labels import folder_labels
from core.models import registry
from core.orm.jobs import Job
from core.orm.models import ModelVersion
from core.orm.training import Training, TrainingUpload
from core.orm.uploads import Upload
from core.uploads import uploads


def delete_job(session: Session, actor: Actor, uuid: UUID) -> None:
    """Hide a job at once; its rows and bytes go in slices later (core/cleanup/purge.py).

    Its upload is deleted with the last job, unless it is somebody else's who has not deleted a job over it.

    Raises:
        Forbidden: It is somebody else's job.
        NotFound, Gone: As `get_job`.
    """
    job, uploads_ = jobs.lock_with_uploads(session, uuid)
    jobs.check_own(actor, job)
    job_states.end_job(session, job.id, JobState.CANCELLED)
    job.deleted_at = db_now()
    job.revision += 1
    session.flush()
    record(session, actor, Action.JOB_DELETE, "job", uuid, name=job.name, kind=job.kind, images=job.n_total)
    for upload in uploads_:
        if _goes_along(session, actor, upload):
            _delete(session, actor, upload)


def delete_upload(session: Session, actor: Actor, uuid: UUID) -> None:
    """Delete an upload that no job works on, for example that of a refused training; its folders' labels are withdrawn.

    Raises:
        Forbidden: It is somebody else's.
        NotFound, Gone: As `uploads.get_upload`.
        Conflict: A job works on it, or has results of it.
    """
    upload = uploads.get_upload(session, uuid, lock=True)
    check_owner(actor, upload.user_id, f"upload {uuid}")
    if _is_used(session, upload):
        raise InUse(f"Upload {uuid} belongs to a job. Delete the job: the upload is deleted with its last job.")
    folder_labels.withdraw(session, actor, uuid)
    _delete(session, actor, upload)


def _delete(session: Session, actor: Actor, upload: Upload) -> None:
    record(session, actor, Action.UPLOAD_DELETE, "upload", upload.uuid, name=upload.name, images=upload.n_images)
    upload.deleted_at = db_now()


def find_unused(session: Session, actor: Actor, uuids: Sequence[UUID]) -> list[UUID]:
    """Those of the named uploads that `delete_upload` would delete."""
    there = select(Upload).where(Upload.uuid.in_(uuids), Upload.deleted_at.is_(None)).order_by(Upload.id)
    own = [upload for upload in session.scalars(there) if actor.may_change(upload.user_id)]
    return [upload.uuid for upload in own if not _is_used(session, upload)]


def list_deleted_with(session: Session, actor: Actor, *deleted: Job) -> list[Upload]:
    """The uploads that would be deleted with these jobs: no other one needs them."""
    uploads_ = {upload.id: upload for job in deleted for upload in session.scalars(jobs.uploads_of(job))}
    return [upload for upload in uploads_.values() if _goes_along(session, actor, upload, but=deleted)]


def _goes_along(session: Session, actor: Actor, upload: Upload, but: Sequence[Job] = ()) -> bool:
    """Whether an upload is deleted with its last job: its owner deletes that one, or has deleted another before."""
    if _is_used(session, upload, but):
        return False
    return actor.may_change(upload.user_id) or _was_given_up(session, upload)


def _was_given_up(session: Session, upload: Upload) -> bool:
    """Whether the owner of an upload has deleted a job over it."""
    deleted = select(Job.id).where(_works_on(upload), Job.deleted_at.is_not(None), Job.user_id == upload.user_id)
    return session.scalar(deleted.limit(1)) is not None


def _is_used(session: Session, upload: Upload, but: Sequence[Job] = ()) -> bool:
    """Whether any job, other than those in `but`, classifies the upload or trains on it."""
    others = select(Job.id).where(_works_on(upload), Job.deleted_at.is_(None))
    return session.scalar(others.where(Job.id.not_in([job.id for job in but])).limit(1)) is not None


def _works_on(upload: Upload) -> ColumnElement[bool]:
    trains = select(TrainingUpload.job_id).where(TrainingUpload.upload_id == upload.id)
    return (Job.upload_id == upload.id) | Job.id.in_(trains)


def delete_version(session: Session, actor: Actor, version_id: int) -> None:
    """Remove a version from all lists; jobs, results and deployments that refer to it stay readable.

    Its weights and predictions go later (core/cleanup/purge.py).

    Raises:
        Forbidden: The actor may not delete versions.
        NotFound, Gone: There is no such version.
        Conflict: It is in use, came with Pawsort, or a job that has not ended needs it.
    """
    check_right(actor, Right.MODELS)
    registry.get_version(session, version_id)
    version = session.scalars(locked(select(ModelVersion).where(ModelVersion.id == version_id))).one()
    if registry.find_in_use(session) == version.id:
        raise InUse(f"Version {version.id} is in use. Promote another one or roll back first, then delete this one.")
    if registry.is_shipped(version):
        raise Conflict(f"Version {version.id} is part of Pawsort and cannot be deleted. It uses almost no space.")
    needing = _count_needing(session, version.id)
    if needing:
        raise InUse(
            f"Version {version.id} is needed by {needing} {'job' if needing == 1 else 'jobs'} that have not ended."
            " Wait for them or cancel them, then delete the version."
        )
    record(session, actor, Action.VERSION_DELETE, "version", version.id, network=version.network)
    version.deleted_at = db_now()


def _count_needing(session: Session, version_id: int) -> int:
    """How many active jobs classify with a version, evaluate it, or start training from it."""
    active = select(Job.id).where(Job.state.in_(ACTIVE_STATES), Job.deleted_at.is_(None))
    using = session.scalars(active.where(Job.model_version_id == version_id)).all()
    told = session.scalars(select(Training.parameters).where(Training.job_id.in_(active)))
    return len(using) + len([one for one in told if one.get("start_from") == version_id])
