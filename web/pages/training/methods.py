"""What each method of training needs and gains, in words: only a new head, or more layers epoch by epoch."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.base.errors import NotFound
from core.base.network_catalog import CLASSES, TRAINABLE
from core.models import conversions, registry
from core.orm.jobs import Job
from core.orm.models import ModelVersion
from core.orm.training import EpochRow, Training
from core.training import features, training_jobs
from core.training.datasets import Dataset
from core.training.parameters import ALL, HEAD, choose_parameters
from core.training.splits import Split
from web.pages.common.words import count, duration, plural, rate
from web.pages.training import expected_accuracy

_HEAD_S, _HEAD_S_EACH = 3.0, 0.001  # measured: 13 s for 10,000 pictures on two cores
NO_HEAD = "There is no version of this network yet."


def describe_methods(session: Session, network: str, dataset: Dataset) -> dict[str, str]:
    """What each method needs and gains with this dataset, by the name of the method."""
    try:
        start = registry.get_version(session, training_jobs.find_start(session, network))
    except NotFound:
        return {ALL: _of_layers(session, network, dataset), HEAD: NO_HEAD}
    n_labels = sum(dataset.by_class.get(name, 0) for name in CLASSES)
    layers = expected_accuracy.of_layers(session, network, start)
    head = expected_accuracy.of_head(session, start, n_labels)
    return {
        ALL: f"{_of_layers(session, network, dataset)} {layers}",
        HEAD: f"{_of_head(session, start, dataset)} {head}",
    }


def _of_layers(session: Session, network: str, dataset: Dataset) -> str:
    n_training = dataset.by_part.get(Split.TRAINING, 0)
    epochs = choose_parameters({"network": network}, n_training).epochs
    layers = "the last layers" if TRAINABLE[network].plan.only_last_layers else "the whole network"
    speed = _find_speed(session, network)
    if speed is None:
        time = "No such training was measured on this installation yet, so the time is unknown."
    else:
        seconds = epochs * n_training / speed
        time = (
            f"Takes {duration(seconds)} at most, at the {rate(speed)} of the last such training here; decoding new"
            " pictures comes on top."
        )
    return f"Trains {layers}, up to {plural(epochs, 'epoch')} over {plural(n_training, 'picture')}. {time}"


def _of_head(session: Session, version: ModelVersion, dataset: Dataset) -> str:
    bodies = conversions.bodies_of(session, version)
    n_kept = features.count_kept(session, bodies, [content.sha256 for content in dataset.contents])
    n_missing = len(dataset.contents) - n_kept
    seconds = _HEAD_S + _HEAD_S_EACH * len(dataset.contents) + n_missing / _speed_of(version)
    missing = f" (features of {count(n_missing)} are computed first)" if n_missing else ""
    return (
        f"Keeps the features of version {version.id} and refits the last layer on"
        f" {plural(len(dataset.contents), 'picture')}{missing}. Takes {duration(seconds)}."
    )


def _find_speed(session: Session, network: str) -> float | None:
    """Pictures per second in the newest epoch of this network on this installation."""
    rows = select(EpochRow.images_per_s, Training.parameters).join(Training, Training.job_id == EpochRow.job_id)
    alive = rows.join(Job, Job.id == EpochRow.job_id).where(Job.deleted_at.is_(None))
    newest = alive.order_by(EpochRow.job_id.desc(), EpochRow.number.desc()).limit(200)
    for images_per_s, parameters in session.execute(newest):
        if parameters.get("network") == network and images_per_s > 0:
            return float(images_per_s)
    return None


def _speed_of(version: ModelVersion) -> float:
    speed = version.manifest.get("speed")
    return max(speed["images_per_s"] if speed else 40.0, 1.0)
