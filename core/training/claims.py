"""Trainings at work: claimed with a lease and a fence, recorded epoch by epoch, ended with a version.

    queued ─► running (claimed; each epoch is a row) ─► done with a version │ failed with a sentence │ cancelled

An epoch's row and the blob that training resumes from are written in one transaction that carries the fence: the next
claim after a kill resumes exactly after the last row. Locks are taken in the order upload, job, training.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from core.base import leases
from core.base.clock import db_now
from core.base.database import locked
from core.base.errors import Invalid, LeaseLost
from core.base.manifest import Manifest
from core.base.states import ACTIVE_STATES, JobKind, JobState
from core.jobs import job_states
from core.jobs.control.pausing import Priority
from core.messaging import broker
from core.models import registry
from core.operations.pauses import may_go_on
from core.orm.jobs import Job
from core.orm.models import ModelVersion
from core.orm.training import EpochRow, Training, TrainingUpload
from core.storage.blobs import training_prefix
from core.training import datasets
from core.training.datasets import Dataset
from core.training.parameters import HEAD
from core.training.progress import TRAINING


class NextStep(StrEnum):
    """What a training should do next. KEEP_BEST: end now, with the best epoch as the version."""

    CONTINUE = "continue"
    KEEP_BEST = "keep best"
    STOP = "stop"


@dataclass(frozen=True)
class Claim:
    """A training that one worker holds until its lease runs out. `is_taken_over`: it ran out for another one before."""

    job_id: int
    uuid: UUID
    fence: int
    attempts: int
    kind: str = JobKind.TRAIN
    is_taken_over: bool = False

    @property
    def blob_prefix(self) -> str:
        """What the keys of everything that this training keeps begin with."""
        return training_prefix(self.uuid)


def claim_training(session: Session, job_id: int, worker_id: int | None, lease_s: float) -> Claim | None:
    """Claim a training that no worker holds, by the database's clock.

    One that has been claimed too often without finishing an epoch is failed instead.

    Returns:
        The claim, or None: another worker holds it, or it has ended.
    """
    job = session.scalar(locked(select(Job).where(Job.id == job_id, may_go_on(broker.TRAINING))))
    if job is None:
        return None
    free = select(Training).where(Training.job_id == job_id, _is_free())
    training = session.scalar(locked(free))
    if training is None:
        return None
    if training.phase == TRAINING and training.step > training.furthest:  # the last claim brought it further
        training.furthest, training.attempts = training.step, max(training.attempts - 1, 0)
    if training.attempts >= leases.MAX_ATTEMPTS:
        sentence = (
            f"Training ended {training.attempts} times before an epoch was finished; the last message is in the log of"
            " the training worker. It may have run out of memory: choose a smaller batch_size or fewer pictures."
        )
        _end(session, training, JobState.FAILED, sentence)
        return None
    is_taken_over = training.lease_until is not None
    leases.claim(training, lease_s)
    training.attempts += 1
    training.worker_id = worker_id
    job.state = JobState.RUNNING
    job.started_at = job.started_at or db_now()
    job.revision += 1
    session.flush()
    return Claim(job.id, job.uuid, training.fence, training.attempts, job.kind, is_taken_over)


def is_waiting(session: Session, job_id: int) -> bool:
    """Whether a training could be claimed at this moment."""
    return session.scalar(_waiting().where(Job.id == job_id)) is not None


def find_first(session: Session) -> int | None:
    """The training that waits and goes before all others, if there is one."""
    first = _waiting().where(Job.priority > Priority.NORMAL)
    return session.scalar(first.order_by(Job.priority.desc(), Job.id).limit(1))


def trains_layers(session: Session, job_id: int) -> bool:
    """Whether a job trains layers of a network, which needs TensorFlow; a head is fitted, and others only predict."""
    kind, parameters = session.execute(
        select(Job.kind, Training.parameters).join(Training, Training.job_id == Job.id).where(Job.id == job_id)
    ).one()
    return bool(kind == JobKind.TRAIN and parameters.get("what") != HEAD)


def get_training(session: Session, claim: Claim) -> Training:
    """The row of a claimed training.

    Raises:
        LeaseLost: The claim is no longer valid.
    """
    return _hold(session, claim)[1]


def find_version(session: Session, claim: Claim) -> int:
    """The version of a claimed job: the one that it evaluates, or whose features it uses.

    Raises:
        LeaseLost: The claim is no longer valid.
    """
    version_id = _hold(session, claim)[0].model_version_id
    assert version_id is not None
    return version_id


def beat(
    session: Session, claim: Claim, lease_s: float, phase: str, step: int, n_steps: int, left_s: float | None = None
) -> NextStep:
    """Renew the lease and record progress; STOP when the job has ended or another worker holds it.

    Args:
        left_s: How long this phase will still take, in seconds.
    """
    try:
        job, training = _hold(session, claim)
    except LeaseLost:
        return NextStep.STOP
    if not session.scalar(select(may_go_on(broker.TRAINING)).where(Job.id == job.id)):  # paused
        _give_back(training, pause_s=0.0)
        return NextStep.STOP
    leases.renew(training, lease_s)
    if (training.phase, training.step, training.n_steps) != (phase, step, n_steps):
        training.phase, training.step, training.n_steps = phase, step, n_steps
        training.phase_left_s = left_s
        job.revision += 1
    return NextStep.KEEP_BEST if training.keeps_best else NextStep.CONTINUE


def choose_data(session: Session, claim: Claim) -> Dataset:
    """The dataset of the claimed training, as it is now.

    Raises:
        Invalid: It has become too little since the job was created.
        LeaseLost: The claim is no longer valid.
    """
    since = _hold(session, claim)[1].labels_since
    of_job = select(TrainingUpload.upload_id).where(TrainingUpload.job_id == claim.job_id)
    found = datasets.find_labelled(session, list(session.scalars(of_job)) or None, since)
    if found.problem is not None:
        raise Invalid(found.problem)
    return found


def keep_data(session: Session, claim: Claim, data_key: str) -> None:
    """Store the key of the blob with this training's contents, which later labels do not change.

    Raises:
        LeaseLost: The claim is no longer valid.
    """
    _hold(session, claim)[1].data_key = data_key


def record_epoch(session: Session, claim: Claim, epoch: Mapping[str, Any], state_key: str) -> None:
    """Record a finished epoch and the blob that training resumes from, both or neither.

    Args:
        epoch: The fields of `model.training.trainer.Epoch`.
    Raises:
        LeaseLost: The claim is no longer valid; nothing was written.
    """
    job, training = _hold(session, claim)
    session.add(EpochRow(job_id=job.id, **epoch))
    training.state_key = state_key
    training.attempts, training.furthest = 1, 0
    training.phase, training.step = TRAINING, 0  # no longer validating: the bar would count this epoch twice
    job.revision += 1
    session.flush()


def end(session: Session, claim: Claim) -> None:
    """End a job of any kind as done; the caller has written its results.

    Raises:
        LeaseLost: The claim is no longer valid; nothing was written.
    """
    _end(session, _hold(session, claim)[1], JobState.DONE)


def finish(session: Session, claim: Claim, manifest: Manifest) -> ModelVersion:
    """End a training with its version, a candidate that is not in use.

    Raises:
        LeaseLost: The claim is no longer valid; nothing was written.
    """
    job, training = _hold(session, claim)
    version = registry.add_version(session, manifest)
    job.model_version_id = version.id
    _end(session, training, JobState.DONE)
    return version


def fail(session: Session, claim: Claim, sentence: str) -> bool:
    """End a training that cannot be carried out.

    Returns:
        Whether there is no epoch to resume from. Then its blobs can be deleted.
    Raises:
        LeaseLost: The claim is no longer valid; nothing was written.
    """
    training = _hold(session, claim)[1]
    if training.state_key is None:
        training.data_key = None  # no epoch yet: a retry chooses its pictures again
    _end(session, training, JobState.FAILED, sentence)
    return training.state_key is None


def release(session: Session, claim: Claim, pause_s: float = 0.0) -> None:
    """Release a training as if it had not been claimed; nothing happens when the claim is no longer valid.

    Args:
        pause_s: How long it is not claimed again.
    """
    with suppress(LeaseLost):
        _give_back(_hold(session, claim)[1], pause_s)


def release_after_error(session: Session, claim: Claim) -> None:
    """Release a training after an error, which costs an attempt; nothing happens when the claim is no longer valid."""
    with suppress(LeaseLost):
        training = _hold(session, claim)[1]
        leases.release(training)
        training.ready_at = db_now(leases.pause_s(training.attempts))
        training.step = 0


def _give_back(training: Training, pause_s: float) -> None:
    leases.release(training)
    training.ready_at = db_now(pause_s)
    training.attempts -= 1


def list_waiting(session: Session, limit: int) -> list[int]:
    """Trainings that no worker holds, oldest first."""
    return list(session.scalars(_waiting().order_by(Job.priority.desc(), Job.id).limit(limit)))


def _waiting() -> Select[int]:
    return select(Job.id).join(Training, Training.job_id == Job.id).where(may_go_on(broker.TRAINING), _is_free())


def _hold(session: Session, claim: Claim) -> tuple[Job, Training]:
    job = session.scalar(locked(select(Job).where(Job.id == claim.job_id, _is_active())))
    held = select(Training).where(Training.job_id == claim.job_id, Training.fence == claim.fence)
    training = session.scalar(locked(held)) if job is not None else None
    if job is None or training is None:
        raise LeaseLost(f"Training {claim.uuid} has ended, or another worker has it.")
    return job, training


def _end(session: Session, training: Training, state: JobState, error: str | None = None) -> None:
    leases.release(training)
    job_states.end_job(session, training.job_id, state, error)


def _is_active() -> ColumnElement[bool]:
    return Job.state.in_(ACTIVE_STATES) & Job.deleted_at.is_(None)


def _is_free() -> ColumnElement[bool]:
    return leases.is_free(Training.lease_until) & (Training.ready_at.is_(None) | leases.is_ready(Training.ready_at))
