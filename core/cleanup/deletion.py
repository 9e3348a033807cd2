"""Deleting: what is deleted is hidden at once; its rows and bytes go in slices later (core/cleanup/purge.py)."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.base.clock import db_now
from core.base.database import locked
from core.base.errors import Conflict
from core.base.states import ACTIVE_STATES, JobState
from core.jobs import job_states, jobs
from core.labels import folder_labels
from core.models import registry
from core.orm.jobs import Job
from core.orm.models import ModelVersion
from core.orm.training import Training, TrainingUpload
from core.orm.uploads import Upload
from core.uploads import uploads


def delete_job(session: Session, uuid: UUID) -> None:
    """Hide a job at once; its rows and bytes go in slices later (core/cleanup/purge.py).

    Its upload is deleted with the last job.

    Raises:
        NotFound, Gone: As `get_job`.
    """
    job, uploads_ = jobs.lock_with_uploads(session, uuid)
    job_states.end_job(session, job.id, JobState.CANCELLED)
    job.deleted_at = db_now()
    job.revision += 1
    session.flush()
    for upload in uploads_:
        if not _is_used(session, upload):
            upload.deleted_at = db_now()


def delete_upload(session: Session, uuid: UUID) -> None:
    """Delete an upload that no job works on, for example that of a refused training; its folders' labels are withdrawn.

    Raises:
        NotFound, Gone: As `uploads.get_upload`.
        Conflict: A job works on it, or has results of it.
    """
    upload = uploads.get_upload(session, uuid, lock=True)
    if _is_used(session, upload):
        raise Conflict(f"Upload {uuid} belongs to a job. Delete the job: the upload is deleted with its last job.")
    folder_labels.withdraw(session, uuid, None)
    upload.deleted_at = db_now()


def find_unused(session: Session, uuids: Sequence[UUID]) -> list[UUID]:
    """Those of the named uploads that `delete_upload` would delete."""
    there = select(Upload).where(Upload.uuid.in_(uuids), Upload.deleted_at.is_(None)).order_by(Upload.id)
    return [upload.uuid for upload in session.scalars(there) if not _is_used(session, upload)]


def list_deleted_with(session: Session, *deleted: Job) -> list[Upload]:
    """The uploads that would be deleted with these jobs: no other one needs them."""
    uploads_ = {upload.id: upload for job in deleted for upload in session.scalars(jobs.uploads_of(job))}
    return [upload for upload in uploads_.values() if not _is_used(session, upload, but=deleted)]


def _is_used(session: Session, upload: Upload, but: Sequence[Job] = ()) -> bool:
    """Whether any job, other than those in `but`, classifies the upload or trains on it."""
    trains = select(TrainingUpload.job_id).where(TrainingUpload.upload_id == upload.id)
    others = select(Job.id).where((Job.upload_id == upload.id) | Job.id.in_(trains), Job.deleted_at.is_(None))
    return session.scalar(others.where(Job.id.not_in([job.id for job in but])).limit(1)) is not None


def delete_version(session: Session, version_id: int) -> None:
    """Remove a version from all lists; jobs, results and deployments that refer to it stay readable.

    Its weights and predictions go later (core/cleanup/purge.py).

    Raises:
        NotFound, Gone: There is no such version.
        Conflict: It is in use, came with Pawsort, or a job that has not ended needs it.
    """
    registry.get_version(session, version_id)
    version = session.scalars(locked(select(ModelVersion).where(ModelVersion.id == version_id))).one()
    if registry.find_in_use(session) == version.id:
        raise Conflict(f"Version {version.id} is in use. Promote another one or roll back first, then delete this one.")
    if registry.is_shipped(version):
        raise Conflict(f"Version {version.id} is part of Pawsort and cannot be deleted. It uses almost no space.")
    needing = _count_needing(session, version.id)
    if needing:
        raise Conflict(
            f"Version {version.id} is needed by {needing} {'job' if needing == 1 else 'jobs'} that have not ended."
            " Wait for them or cancel them, then delete the version."
        )
    version.deleted_at = db_now()


def _count_needing(session: Session, version_id: int) -> int:
    """How many active jobs classify with a version, evaluate it, or start training from it."""
    active = select(Job.id).where(Job.state.in_(ACTIVE_STATES), Job.deleted_at.is_(None))
    using = session.scalars(active.where(Job.model_version_id == version_id)).all()
    told = session.scalars(select(Training.parameters).where(Training.job_id.in_(active)))
    return len(using) + len([one for one in told if one.get("start_from") == version_id])
