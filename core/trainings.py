"""Training jobs: created with checked parameters, claimed with a lease and a fence, ended with a version.

    queued ─► running (claimed; each epoch is a row) ─► done with a version │ failed with a sentence │ cancelled

An epoch's row and the blob that training goes on from are written in one transaction that carries the fence: whoever
claims the job after a kill goes on exactly after the last row. Locks are taken in the order upload, job, training.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import datasets, jobs, registry, uploads
from core.blobs import training_prefix
from core.clock import db_now
from core.datasets import Found
from core.db import locked
from core.errors import Conflict, Invalid, LeaseLost
from core.networks import NETWORKS
from core.orm import (
    ACTIVE_STATES,
    EpochRow,
    Job,
    JobKind,
    JobState,
    ModelVersion,
    Training,
    TrainingUpload,
    Upload,
    UploadState,
)
from core.parameters import Parameters, choose_parameters
from core.parts import Part

MAX_ATTEMPTS = 5  # without an epoch between them
EVERYTHING = "everything labelled"
RATED_EPOCHS = 3


@dataclass(frozen=True)
class Claim:
    """A training that one worker has until its lease runs out."""

    job_id: int
    uuid: UUID
    fence: int
    attempts: int

    @property
    def blob_prefix(self) -> str:
        """What the keys of everything that this training keeps begin with."""
        return training_prefix(self.uuid)


@dataclass(frozen=True)
class TrainingView:
    """A training as it is shown; `eta_s` counts what is left of the epochs, in seconds."""

    parameters: dict[str, Any]
    phase: str
    step: int
    n_steps: int
    epochs: list[EpochRow]
    eta_s: float | None


def look_at_data(session: Session, upload_uuids: Sequence[UUID] | None) -> Found:
    """What a training on these uploads would find; None for everything that anybody labelled.

    Raises:
        NotFound, Gone: An upload is not there.
        Conflict: An upload is still arriving.
        Invalid: The list is empty.
    """
    chosen = _choose_uploads(session, upload_uuids)
    return datasets.find_labelled(session, None if chosen is None else [upload.id for upload in chosen])


def check_parameters(session: Session, given: Mapping[str, Any], n_training: int) -> Parameters:
    """Check what a training is told and fill in the rest.

    Args:
        given: As `choose_parameters` takes it.
        n_training: Pictures in the training part, on which the defaults depend.
    Raises:
        Invalid: A sentence for each wrong value, or the version to start from does not fit.
        NotFound: There is no such version.
    """
    parameters = choose_parameters(given, n_training)
    if parameters.start_from is not None:
        _check_start(registry.get_version(session, parameters.start_from), parameters)
    return parameters


def create_training_job(
    session: Session,
    uuid: UUID,
    given: Mapping[str, Any],
    upload_uuids: Sequence[UUID] | None,
    user_id: int | None = None,
    name: str | None = None,
) -> Job:
    """Create a job that trains a network; repeating it under the same id is harmless.

    Args:
        uuid: The caller's id for the job.
        given: Parameters by name, as `choose_parameters` takes them.
        upload_uuids: The uploads to learn from; None for everything that anybody labelled.
        name: What it is called; after its uploads when not given.
    Raises:
        Invalid: Parameters or data are such that training would fail or teach nothing; a sentence for each reason.
        NotFound, Gone, Conflict: An upload or a version is not there, or a job has this id.
    """
    existing = session.scalar(select(Job).where(Job.uuid == uuid))
    if existing is not None:
        return _same_job(session, uuid)
    chosen = _choose_uploads(session, upload_uuids, lock=True)
    found = datasets.find_labelled(session, None if chosen is None else [upload.id for upload in chosen])
    parameters = check_parameters(session, given, found.by_part[Part.TRAINING])
    if found.problem is not None:
        raise Invalid(found.problem)
    called = name or (", ".join(upload.name for upload in chosen) if chosen else "") or EVERYTHING
    job = Job(
        uuid=uuid,
        kind=JobKind.TRAIN,
        name=jobs.check_name(called[: jobs.MAX_NAME]),
        state=JobState.QUEUED,
        user_id=user_id,
    )
    try:
        with session.begin_nested():
            session.add(job)
    except IntegrityError:  # the same id was used at this very moment
        return _same_job(session, uuid)
    session.add(Training(job_id=job.id, parameters=parameters.to_dict()))
    session.add_all(TrainingUpload(job_id=job.id, upload_id=upload.id) for upload in chosen or ())
    session.flush()
    session.refresh(job)
    return job


def _same_job(session: Session, uuid: UUID) -> Job:
    job = jobs.get_job(session, uuid)
    if job.kind != JobKind.TRAIN:
        raise Conflict(f"Job {uuid} exists and classifies. Choose a new id for the training.")
    return job


def _choose_uploads(session: Session, uuids: Sequence[UUID] | None, lock: bool = False) -> list[Upload] | None:
    if uuids is None:
        return None
    if not uuids:
        raise Invalid('data: expected the ids of one or more uploads, or "all" for everything labelled; got none.')
    chosen = sorted((uploads.get_upload(session, uuid) for uuid in set(uuids)), key=lambda upload: upload.id)
    if lock:
        chosen = [uploads.get_upload(session, upload.uuid, lock=True) for upload in chosen]
    for upload in chosen:
        if upload.state != UploadState.COMPLETE:
            raise Conflict(f"Upload {upload.uuid} is still arriving. Complete it first, then train on it.")
    return chosen


def _check_start(version: ModelVersion, parameters: Parameters) -> None:
    """See that the version to start from is of the same network and input."""
    network = NETWORKS[parameters.network]
    if version.network != network.name:
        raise Invalid(
            f"start_from: version {version.id} is a {version.network}, but {network.name} is to be trained. Choose a"
            f" version of {network.name}, or train {version.network}."
        )
    if version.manifest["side_px"] != network.side_px:
        raise Invalid(
            f"start_from: version {version.id} takes pictures of {version.manifest['side_px']} px, and {network.name}"
            f" takes {network.side_px} px. Choose another version, or train anew."
        )


def claim_training(session: Session, job_id: int, worker_id: int | None, lease_s: float) -> Claim | None:
    """Take a training that nobody has, or whose worker let its lease run out, by the database's clock.

    One that has been claimed too often without finishing an epoch is failed instead.

    Returns:
        The claim, or None: somebody else has it, or it has ended.
    """
    job = session.scalar(locked(select(Job).where(Job.id == job_id, _is_active())))
    if job is None:
        return None
    free = select(Training).where(Training.job_id == job_id, _is_free())
    training = session.scalar(locked(free))
    if training is None:
        return None
    if training.attempts >= MAX_ATTEMPTS:
        _end(job, training, JobState.FAILED)
        job.error = (
            f"Training ended {training.attempts} times before an epoch was finished; the last message is in the log of"
            " the training worker. Memory may be short: choose a smaller batch_size, or fewer pictures."
        )
        return None
    training.fence += 1
    training.attempts += 1
    training.lease_until = db_now(lease_s)
    training.worker_id = worker_id
    job.state = JobState.RUNNING
    job.started_at = job.started_at or db_now()
    job.revision += 1
    session.flush()
    return Claim(job.id, job.uuid, training.fence, training.attempts)


def get_training(session: Session, claim: Claim) -> Training:
    """The row of a claimed training.

    Raises:
        LeaseLost: The claim is no longer valid.
    """
    return _hold(session, claim)[1]


def beat(session: Session, claim: Claim, lease_s: float, phase: str, step: int, n_steps: int) -> bool:
    """Keep the lease and say what is happening; False when the job has ended or belongs to somebody else."""
    try:
        job, training = _hold(session, claim)
    except LeaseLost:
        return False
    training.lease_until = db_now(lease_s)
    if (training.phase, training.step, training.n_steps) != (phase, step, n_steps):
        training.phase, training.step, training.n_steps = phase, step, n_steps
        job.revision += 1
    return True


def choose_data(session: Session, claim: Claim) -> Found:
    """What the claimed training learns from, as it is now.

    Raises:
        Invalid: It has become too little since the job was created.
        LeaseLost: The claim is no longer valid.
    """
    _hold(session, claim)
    of_job = select(TrainingUpload.upload_id).where(TrainingUpload.job_id == claim.job_id)
    found = datasets.find_labelled(session, list(session.scalars(of_job)) or None)
    if found.problem is not None:
        raise Invalid(found.problem)
    return found


def keep_data(session: Session, claim: Claim, data_key: str) -> None:
    """Note the blob with the contents that this training learns from, whatever is labelled later.

    Raises:
        LeaseLost: The claim is no longer valid.
    """
    _hold(session, claim)[1].data_key = data_key


def record_epoch(session: Session, claim: Claim, epoch: Mapping[str, Any], state_key: str) -> None:
    """Record a finished epoch and the blob that training goes on from, both or neither.

    Args:
        epoch: The fields of `model.train.Epoch`.
    Raises:
        LeaseLost: The claim is no longer valid; nothing was written.
    """
    job, training = _hold(session, claim)
    session.add(EpochRow(job_id=job.id, **epoch))
    training.state_key = state_key
    training.attempts = 1
    job.revision += 1
    session.flush()


def finish(session: Session, claim: Claim, manifest: dict[str, Any]) -> ModelVersion:
    """End a training with its version, a candidate that is not in use.

    Raises:
        LeaseLost: The claim is no longer valid; nothing was written.
    """
    job, training = _hold(session, claim)
    version = registry.add_version(session, manifest)
    job.model_version_id = version.id
    _end(job, training, JobState.DONE)
    return version


def fail(session: Session, claim: Claim, sentence: str) -> None:
    """End a training that cannot be carried out.

    Raises:
        LeaseLost: The claim is no longer valid; nothing was written.
    """
    job, training = _hold(session, claim)
    job.error = sentence
    _end(job, training, JobState.FAILED)


def release(session: Session, claim: Claim, is_counted: bool) -> None:
    """Give a training back, to go on after its last epoch; nothing happens when it is no longer ours.

    Args:
        is_counted: Whether the attempt counts; not for a worker that was asked to stop.
    """
    try:
        _, training = _hold(session, claim)
    except LeaseLost:
        return
    training.lease_until = None
    training.attempts -= 0 if is_counted else 1


def list_waiting(session: Session, limit: int) -> list[int]:
    """Trainings that nobody works on, oldest first."""
    query = select(Job.id).join(Training, Training.job_id == Job.id).where(_is_active(), _is_free())
    return list(session.scalars(query.order_by(Job.id).limit(limit)))


def list_epochs(session: Session, job_id: int) -> list[EpochRow]:
    """The epochs of a training, in their order."""
    return list(session.scalars(select(EpochRow).where(EpochRow.job_id == job_id).order_by(EpochRow.number)))


def describe_training(session: Session, job: Job) -> TrainingView:
    """How far a training is.

    Raises:
        Invalid: The job is none.
    """
    training = session.get(Training, job.id)
    if training is None:
        raise Invalid(f"Job {job.uuid} classifies and has no epochs. GET /api/v1/jobs/{job.uuid} says how far it is.")
    epochs = list_epochs(session, job.id)
    return TrainingView(
        parameters=training.parameters,
        phase=training.phase if job.state in ACTIVE_STATES else "",
        step=training.step,
        n_steps=training.n_steps,
        epochs=epochs,
        eta_s=_eta_s(training, epochs) if job.state in ACTIVE_STATES else None,
    )


def _eta_s(training: Training, epochs: Sequence[EpochRow]) -> float | None:
    if not epochs:
        return None
    recent = epochs[-RATED_EPOCHS:]
    seconds = sum(epoch.seconds for epoch in recent) / len(recent)
    begun = training.step / training.n_steps if training.n_steps and training.phase == "training" else 0.0
    n_left = int(training.parameters["epochs"]) - len(epochs)
    return max(0.0, (n_left - begun) * seconds)


def _hold(session: Session, claim: Claim) -> tuple[Job, Training]:
    job = session.scalar(locked(select(Job).where(Job.id == claim.job_id, _is_active())))
    held = select(Training).where(Training.job_id == claim.job_id, Training.fence == claim.fence)
    training = session.scalar(locked(held)) if job is not None else None
    if job is None or training is None:
        raise LeaseLost(f"Training {claim.uuid} has ended, or another worker has it.")
    return job, training


def _end(job: Job, training: Training, state: JobState) -> None:
    job.state = state
    job.finished_at = db_now()
    job.revision += 1
    training.lease_until = None


def _is_active() -> ColumnElement[bool]:
    return Job.state.in_(ACTIVE_STATES) & Job.deleted_at.is_(None)


def _is_free() -> ColumnElement[bool]:
    return Training.lease_until.is_(None) | (Training.lease_until < db_now())
