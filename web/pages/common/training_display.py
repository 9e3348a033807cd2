"""A training as the templates show it: its current phase in words, its epochs and its curves."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from core.base.leases import MAX_ATTEMPTS
from core.base.states import JobKind, JobState
from core.evaluation import promotion_check
from core.evaluation.promotion_check import PromotionCheck
from core.jobs.progress import JobView, describe
from core.models import registry
from core.orm.jobs import Job
from core.orm.training import EpochRow
from core.training import progress
from core.training.parameters import HEAD, OF_EPOCHS
from core.training.progress import TRAINING, VALIDATING, TrainingView
from core.training.splits import Split
from web.pages.common.charts import Chart, Mark, Series, line_chart
from web.pages.common.words import count, duration, plural, rate, split_name

EVALUATING, CHECKING = "judging", "studying"  # as the phases are stored
_PHASES = {
    "reading": "Reading: looking up the pictures",
    "preparing": "Preparing the network",
    "decoding": "Decoding",
    "comparing": "Looking for near-duplicates",
    CHECKING: "Training on some of the labels and checking the others",
    EVALUATING: "Evaluating on pictures that it was not trained on",
}
_OF_PICTURES = ("decoding", "comparing", EVALUATING)  # their steps are pictures
_TIMED = ("decoding", "comparing")
# Where each phase before the first epoch begins and ends, as a share of all preparation. Pictures may be decoded twice:
# to find near-duplicates, which seldom takes long, and once it is known which ones are used.
_BEFORE_CHOICE = {"": (0.0, 0.0), "reading": (0.0, 0.0), "decoding": (0.0, 0.15), "comparing": (0.15, 0.2)}
_AFTER_CHOICE = {"": (0.2, 0.2), "reading": (0.2, 0.2), "decoding": (0.2, 0.95)}
_AFTER_CHOICE_OF_HEAD = {**_AFTER_CHOICE, "preparing": (0.2, 0.2)}  # only features need the network
_OF_CHECK = {**dict.fromkeys(("", "reading", "preparing"), (0.0, 0.0)), "decoding": (0.0, 0.5), CHECKING: (0.5, 1.0)}
_PARAMETERS = {
    "network": "Network",
    "what": "What is trained",
    "epochs": "Maximum epochs",
    "steps_per_epoch": "Steps per epoch",
    "batch_size": "Batch size",
    "learning_rate": "Learning rate",
    "augmentation": "Augmentation",
    "early_stopping": "Early stopping",
    "seed": "Seed",
    "start_from": "Started from",
}
_OMITTED = {
    "n_duplicates": "Duplicates",
    "n_unreadable": "Known to be unreadable",
    "n_unlabelled": "Without a label",
}


@dataclass(frozen=True)
class TrainingDisplay:
    """A training with its job."""

    job: JobView
    training: TrainingView

    @property
    def epochs(self) -> list[EpochRow]:
        """The epochs that have ended, in order."""
        return self.training.epochs

    @property
    def n_epochs(self) -> int:
        """The largest number of epochs; 0 if only a head is fitted, in one step."""
        recorded = self.training.parameters
        return 0 if recorded.get("what") == HEAD else int(recorded.get("epochs", 0))

    @property
    def best(self) -> int | None:
        """The number of the epoch with the lowest validation loss, which is kept."""
        known = [epoch for epoch in self.epochs if math.isfinite(epoch.val_loss)]
        return min(known, key=lambda epoch: epoch.val_loss).number if known else None

    @property
    def best_epoch(self) -> EpochRow | None:
        """The epoch that is kept, if one has ended."""
        return next((epoch for epoch in self.epochs if epoch.number == self.best), None)

    @property
    def n_validation(self) -> int:
        """The number of validation pictures at the time of creation; 0 if it was not recorded."""
        return int((self.training.found or {}).get("by_part", {}).get(Split.VALIDATION, 0))

    @property
    def seconds(self) -> float:
        """The time of all epochs together."""
        return sum(epoch.seconds for epoch in self.epochs)

    @property
    def done(self) -> float:
        """The number of finished epochs, with the finished share of the current one; all when it ends early."""
        if self.training.phase == EVALUATING:
            return float(self.n_epochs)
        begun = {TRAINING: self._step_share, VALIDATING: 1.0}.get(self.training.phase, 0.0)
        return min(len(self.epochs) + begun, float(self.n_epochs))

    @property
    def progress(self) -> float | None:
        """The finished share, in [0, 1]: preparation takes as much of it as an epoch. It never goes back.

        None while something goes on before the first epoch that has no steps yet.
        """
        is_preparing = self.job.state == JobState.RUNNING and not self.job.pause and self.training.phase in self._shares
        if is_preparing and not self.epochs and not self.training.step:
            return None
        return (self._preparation + self.done) / (1 + self.n_epochs)

    @property
    def percent(self) -> int | None:
        """The finished share in whole percent."""
        return None if self.progress is None else int(100 * self.progress)

    @property
    def _shares(self) -> dict[str, tuple[float, float]]:
        if self.job.kind == JobKind.EVALUATE:
            return {"": (0.0, 0.0), EVALUATING: (0.0, 1.0)}
        if self.job.kind == JobKind.LABEL_QUALITY:
            return _OF_CHECK
        if not self.training.has_data:
            return _BEFORE_CHOICE
        return _AFTER_CHOICE if self.n_epochs else _AFTER_CHOICE_OF_HEAD

    @property
    def _preparation(self) -> float:
        """The finished share of what comes before the first epoch; a training that resumes has that behind it."""
        phase = self.training.phase
        if self.epochs or (self.n_epochs and phase in (TRAINING, VALIDATING, EVALUATING)):
            return 1.0
        begin, end = self._shares.get(phase, (0.95, 0.95))
        return begin + (end - begin) * self._step_share

    @property
    def _step_share(self) -> float:
        return self.training.step / self.training.n_steps if self.training.n_steps else 0.0

    @property
    def phase_text(self) -> str:
        """The current phase, in words."""
        if self.training.keeps_best:
            return f"Stopping: the best epoch, {count(self.best or 0)}, is being evaluated and kept"
        if self.job.state == JobState.QUEUED:
            return "Waiting for a training worker"
        if self.job.is_active:
            return self._waiting_text() or self._active_phase_text()
        if not self.n_epochs:
            return "" if self.job.state == JobState.DONE else "Interrupted"
        return f"{count(len(self.epochs))} of {plural(self.n_epochs, 'epoch')}"

    def _waiting_text(self) -> str:
        """What is shown while a training that has begun waits for a worker; empty while one works on it."""
        if self.training.is_held or self.job.pause:
            return ""
        if n := self.training.n_interrupted:
            return f"Attempt {count(n)} of {count(MAX_ATTEMPTS)} was interrupted; the next one starts soon"
        return "Waiting for a training worker"

    def _active_phase_text(self) -> str:
        view = self.training
        if view.phase == TRAINING and not self.n_epochs:
            return "Fitting a new head"
        if view.phase == TRAINING:
            number = min(len(self.epochs) + 1, self.n_epochs)
            step = f", step {count(view.step)} of {count(view.n_steps)}" if view.n_steps else ""
            return f"Training: epoch {count(number)} of {count(self.n_epochs)}{step}"
        if view.phase == VALIDATING:
            return f"Training: validating epoch {count(min(len(self.epochs) + 1, self.n_epochs))}"
        words = _PHASES.get(view.phase, "Starting") + self._purpose
        if view.phase in _OF_PICTURES and view.n_steps:
            words += f": {count(view.step)} of {plural(view.n_steps, 'picture')}"
        return words

    @property
    def _purpose(self) -> str:
        """Why pictures are decoded, since that may happen twice."""
        if self.training.phase != "decoding":
            return ""
        if self.job.kind == JobKind.TRAIN and not self.training.has_data:
            return " to find near-duplicates"
        return "" if self.n_epochs else " and computing features"

    @property
    def speed_text(self) -> str:
        """The speed and the time left."""
        words = []
        if self.training.phase == TRAINING and self.epochs and self.training.is_held:
            words.append(rate(self.epochs[-1].images_per_s))
        if self.job.is_active and self.training.eta_s is not None:
            words.append(f"{duration(self.training.eta_s)} left")
        elif self.training.phase in _TIMED and self.training.phase_left_s is not None:
            words.append(f"{duration(self.training.phase_left_s)} of {self.training.phase} left")
        elif self.training.phase == CHECKING and self.training.phase_left_s is not None:
            words.append(f"{duration(self.training.phase_left_s)} left")
        return " · ".join(words)

    @property
    def kind_title(self) -> str:
        """The kind of this job, in a word or two."""
        network = self.training.parameters.get("network", "")
        if self.job.kind == JobKind.LABEL_QUALITY:
            return "Label quality check"
        return f"Training {network}".strip() if self.job.kind == JobKind.TRAIN else "Evaluation of a version"

    @property
    def announcement(self) -> str:
        """The announcement for screen readers: each epoch, not each step."""
        if not self.epochs:
            return ""
        last = self.epochs[-1]
        return f"Epoch {last.number} of {self.n_epochs} has ended: validation accuracy {last.val_accuracy:.4f}."

    @property
    def can_resume(self) -> bool:
        """Whether it was interrupted and can be resumed."""
        return self.job.state in (JobState.CANCELLED, JobState.FAILED)

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """Names and values of the parameters that apply to this training, in words."""
        recorded = self.training.parameters
        useless = OF_EPOCHS if recorded.get("what") == HEAD else ()
        shown = [name for name in _PARAMETERS if name in recorded and name not in useless]
        return [(_PARAMETERS[name], _parameter(name, recorded[name])) for name in shown]

    @property
    def data_tables(self) -> list[tuple[str, list[tuple[str, int]]]]:
        """Tables about the training data at the time of creation: a caption, and counts by name."""
        recorded = self.training.found
        if recorded is None:
            return []
        omitted = {name: recorded[key] for key, name in _OMITTED.items()}
        return [
            ("By class", list(recorded["by_class"].items())),
            ("By split (fixed once per file)", [(split_name(name), n) for name, n in recorded["by_part"].items()]),
            ("Not used", list(omitted.items())),
        ]

    @property
    def charts(self) -> list[Chart]:
        """The curves of loss and accuracy."""
        planned = self.n_epochs if self.job.is_active else (self.epochs[-1].number if self.epochs else 1)
        return [
            _chart("Loss", self.epochs, "loss", planned, self.best),
            _chart("Accuracy", self.epochs, "accuracy", planned, self.best),
        ]


def check_new_version(session: Session, job: Job) -> PromotionCheck | None:
    """The version that a training produced next to the one in use; None if there is none to promote."""
    version = registry.get_any(session, job.model_version_id) if job.kind == JobKind.TRAIN else None
    if version is None or version.deleted_at is not None:
        return None
    return promotion_check.check_promotion(session, version)


def show_training(session: Session, job: Job) -> TrainingDisplay:
    """A training as it is now."""
    return TrainingDisplay(describe(session, job), progress.describe_training(session, job))


def _chart(title: str, epochs: Sequence[EpochRow], what: str, planned: int, best: int | None) -> Chart:
    training = [(float(epoch.number), float(getattr(epoch, what))) for epoch in epochs]
    validation = [(float(epoch.number), float(getattr(epoch, f"val_{what}"))) for epoch in epochs]
    return line_chart(
        [Series("training", training), Series("validation", validation, style=2)],
        "epoch",
        what,
        title=title,
        description=_description(what, training, validation),
        x_range=(1.0, float(planned)) if planned > 1 else None,
        x_is_whole=True,
        marks=[Mark(float(best), "best")] if best is not None else [],
    )


def _description(what: str, training: Sequence[tuple[float, float]], validation: Sequence[tuple[float, float]]) -> str:
    if not training:
        return "No epoch has ended yet."
    return (
        f"From the first to the last of {plural(len(training), 'epoch')}, {what} goes from {training[0][1]:.4f} to"
        f" {training[-1][1]:.4f} in training and from {validation[0][1]:.4f} to {validation[-1][1]:.4f} in validation."
        " The table has every value."
    )


def _parameter(name: str, value: Any) -> str:
    if value is None:
        return {"steps_per_epoch": "every picture once", "start_from": "from scratch"}.get(name, "automatic")
    if name == "early_stopping":
        return f"after {plural(value, 'epoch')} without progress" if value else "never"
    if name == "start_from":
        return f"version {value}"
    if name == "what":
        return "only the last layer" if value == HEAD else "more than the last layer, epoch by epoch"
    if isinstance(value, float):
        return f"{value:g}"
    return count(value) if isinstance(value, int) and name != "seed" else str(value)
