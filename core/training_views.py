"""How far trainings are, as pages and programs see it: their epochs, what happens now, time left. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Invalid
from core.orm import ACTIVE_STATES, EpochRow, Job, Training

RATED_EPOCHS = 3


@dataclass(frozen=True)
class TrainingView:
    """A training as it is shown.

    Attributes:
        keeps_best: It is about to end with its best epoch as the version.
        eta_s: What is left of the epochs, in seconds.
    """

    parameters: dict[str, Any]
    phase: str
    step: int
    n_steps: int
    epochs: list[EpochRow]
    keeps_best: bool
    eta_s: float | None


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
        keeps_best=training.keeps_best and job.state in ACTIVE_STATES,
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
