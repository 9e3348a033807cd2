"""How far trainings are, as pages and programs see it: their epochs, what happens now, time left. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.base import leases
from core.base.errors import Invalid
from core.base.states import ACTIVE_STATES
from core.orm.jobs import Job
from core.orm.training import EpochRow, Training

RATED_EPOCHS = 3
TRAINING, VALIDATING = "training", "validating"  # phases: steps are counted; those of the epoch are over


@dataclass(frozen=True)
class TrainingView:
    """A training as it is shown.

    Attributes:
        keeps_best: It is about to end with its best epoch as the version.
        eta_s: What is left of the epochs, in seconds.
        phase_left_s: What is left of the present phase, in seconds.
        is_held: A worker has it now.
        n_interrupted: Attempts since the last epoch that an error or the end of a worker interrupted.
        has_data: Its pictures and their splits are chosen.
        found: What was there to learn from when it was created: the fields of `core.training.datasets.Dataset` but
            `contents`.
    """

    parameters: dict[str, Any]
    phase: str
    step: int
    n_steps: int
    epochs: list[EpochRow]
    keeps_best: bool
    eta_s: float | None
    phase_left_s: float | None
    is_held: bool
    n_interrupted: int
    has_data: bool
    found: dict[str, Any] | None


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
        raise Invalid(f"Job {job.uuid} classifies and has no epochs. GET /api/v1/jobs/{job.uuid} has its progress.")
    epochs = list_epochs(session, job.id)
    is_active = job.state in ACTIVE_STATES
    is_held = is_active and _is_held(session, job.id)
    return TrainingView(
        parameters=training.parameters,
        phase=training.phase if is_active else "",
        step=training.step,
        n_steps=training.n_steps,
        epochs=epochs,
        keeps_best=training.keeps_best and is_active,
        eta_s=_eta_s(training, epochs) if is_held else None,
        phase_left_s=training.phase_left_s if is_held else None,
        is_held=is_held,
        n_interrupted=max(training.attempts - is_held, 0) if is_active else 0,
        has_data=training.data_key is not None,
        found=training.found,
    )


def _is_held(session: Session, job_id: int) -> bool:
    held = select(Training.job_id).where(Training.job_id == job_id, leases.is_current(Training.lease_until))
    return session.scalar(held) is not None


def _eta_s(training: Training, epochs: Sequence[EpochRow]) -> float | None:
    """Seconds until the last epoch has ended: by the latest ones, in the first one by its steps so far."""
    is_under_way = training.phase == TRAINING and training.n_steps > 0
    begun = training.step / training.n_steps if is_under_way else float(training.phase == VALIDATING)
    recent = epochs[-RATED_EPOCHS:]
    if recent:
        seconds = sum(epoch.seconds for epoch in recent) / len(recent)
    elif begun < 1 and is_under_way and training.phase_left_s is not None:
        seconds = training.phase_left_s / (1 - begun)
    else:
        return None
    n_left = int(training.parameters["epochs"]) - len(epochs)
    return max(0.0, (n_left - begun) * seconds)
