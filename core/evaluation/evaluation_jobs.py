"""Evaluation jobs: they compute a version's predictions for the test split of everything labelled.

    queued ─► running (claimed as a training is: core/training/claims.py) ─► done with predictions │ failed │ cancelled

Predictions are written in one transaction with the job's end: a job that was killed starts again and doubles nothing.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.rights import Actor
from core.base.errors import IdTaken, Invalid
from core.base.manifest import Manifest
from core.base.states import ACTIVE_STATES, JobKind, JobState
from core.evaluation import decoding_change, predictions
from core.evaluation.predictions import NewPrediction
from core.jobs import jobs
from core.models import registry
from core.models.accuracy import LabelledPrediction
from core.orm.jobs import Job
from core.orm.models import ModelVersion
from core.orm.training import Training
from core.training import claims
from core.training.claims import Claim


def create_evaluation_job(session: Session, actor: Actor, version_id: int, uuid: UUID | None = None) -> Job:
    """Create a job that evaluates a version; while one is active for it, that one is returned.

    Args:
        uuid: The caller's id for the job; a new one when not given.
    Raises:
        NotFound, Gone: There is no such version.
        Invalid: No labelled picture is in the test split.
        Conflict: Another job has this id.
    """
    version = registry.hold_version(session, version_id)
    existing = _find_active(session, version.id) or session.scalar(select(Job).where(Job.uuid == uuid))
    if existing is not None:
        return _same_job(session, existing.uuid, version)
    _check_contents(session)
    job = Job(
        uuid=uuid or uuid4(),
        kind=JobKind.EVALUATE,
        name=f"Evaluate version {version.id}",
        state=JobState.QUEUED,
        user_id=actor.user_id,
        model_version_id=version.id,
    )
    if not jobs.insert_job(session, job):
        return _same_job(session, job.uuid, version)
    session.add(Training(job_id=job.id, parameters={}))
    session.flush()
    session.refresh(job)
    return job


def _find_active(session: Session, version_id: int) -> Job | None:
    same = (Job.kind == JobKind.EVALUATE) & (Job.model_version_id == version_id)
    return session.scalar(select(Job).where(same, Job.state.in_(ACTIVE_STATES), Job.deleted_at.is_(None)).limit(1))


def _same_job(session: Session, uuid: UUID, version: ModelVersion) -> Job:
    job = jobs.get_job(session, uuid)
    if job.kind != JobKind.EVALUATE or job.model_version_id != version.id:
        raise IdTaken(f"Job {job.uuid} exists and does something else. Choose a new id for the evaluation.")
    return job


def _check_contents(session: Session) -> None:
    if not predictions.choose_contents(session):
        raise Invalid(
            "There is nothing to evaluate on: none of the labelled pictures is in the test split, which gets one in"
            " ten. Upload labelled folders (cats, dogs); a hundred pictures are enough."
        )


def finish_evaluation(session: Session, claim: Claim, version_id: int, predicted: Sequence[NewPrediction]) -> None:
    """Write the predictions and end the job, both or neither.

    Raises:
        LeaseLost: The claim is no longer valid; nothing was written.
    """
    version = registry.get_version(session, version_id)
    pairs = [(one.sha256, LabelledPrediction(one.label, one.probabilities)) for one in predicted]
    change = decoding_change.compare(session, version, pairs)
    claims.end(session, claim)
    if change is not None:
        session.get_one(Training, claim.job_id).decoding_change = dict(change)
    predictions.record(session, version_id, claim.job_id, predicted, is_everything=True)


def finish_training(
    session: Session,
    claim: Claim,
    manifest: Manifest,
    predicted: Sequence[NewPrediction],
    predicted_by_others: Mapping[int, Sequence[NewPrediction]],
) -> ModelVersion:
    """End a training with its version, and with the predictions of this and other versions for its test split.

    Raises:
        LeaseLost: The claim is no longer valid; nothing was written.
    """
    version = claims.finish(session, claim, manifest)
    for version_id, rows in {**predicted_by_others, version.id: predicted}.items():
        predictions.record(session, version_id, claim.job_id, rows)
    return version
