"""A trained network that is not stored yet, and its manifest: origin, and what is fitted and measured on it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from core.base.network_catalog import CLASSES, NETWORKS
from core.decoding.decoded import DECODING
from core.training.parameters import Parameters
from core.training.splits import RULE
from model.artifacts.conversion import ConvertedBody
from model.artifacts.manifest import Manifest
from model.artifacts.weights import digest_of
from model.evaluation.version_evaluation import Bounds
from worker.process.code_version import code_version
from worker.training.dataset import SPLITS, Samples
from worker.training.evaluation import VersionPredictions

# Of the validation split, at the version's own threshold. If not all can be kept, `max_unsure` is.
TRAINED = Bounds(max_wrong=0.01, max_unsure=0.5, max_taken=0.1)


class NewVersion(NamedTuple):
    """A version that is not stored yet.

    Attributes:
        converted: Its body for LiteRT; None if it stays with TensorFlow.
        predictions: For the test split, of this version and of the one in use.
    """

    manifest: Manifest
    weights: bytes
    converted: ConvertedBody | None
    predictions: VersionPredictions


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a network comes from: the fields of `Manifest` that nothing measures.

    Attributes:
        network: A name of `core.base.network_catalog.NETWORKS`.
        data: Counts by class and a digest of the contents.
        n_by_split: Number of images in each split.
        parameters: The recipe.
        seed: Of everything random.
        command: The command that makes it again.
        who: Name of the user whose job it was, or "shipped".
    """

    network: str
    data: dict[str, Any]
    n_by_split: dict[str, int]
    parameters: dict[str, Any]
    seed: int
    command: str
    who: str


def plain_manifest(origin: Origin, weights: bytes) -> Manifest:
    """The manifest of a trained network without what is fitted and measured.

    Args:
        origin: Where the network comes from.
        weights: The .npz file of the network.
    """
    network = NETWORKS[origin.network]
    return Manifest(
        network=origin.network,
        side_px=network.side_px,
        classes=CLASSES,
        threshold=0.5,
        calibration={"temperature": 1.0},
        digest=digest_of(weights),
        n_weights=network.n_weights,
        metrics={},
        data=origin.data,
        split={"rule": RULE, **origin.n_by_split},
        parameters=origin.parameters,
        seed=origin.seed,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        command=origin.command,
        who=origin.who,
        code_version=code_version(),
        decoding=DECODING,
        half_precision=True,  # compared with float32 each time it is loaded (model/inference/tensorflow_engine.py)
    )


def origin_of(parameters: Parameters, samples: Samples, n_unreadable: int, who: str) -> Origin:
    """The origin of a network that a job has trained.

    Args:
        parameters: Of the training.
        samples: The labelled contents that it was trained and evaluated on.
        n_unreadable: Number of images that were left out because they cannot be read.
        who: Name of the user whose job it was.
    """
    return Origin(
        network=parameters.network,
        data={"n_images": samples.count_classes(), "n_unreadable": n_unreadable, "sha256": samples.digest()},
        n_by_split={str(split): samples.count(split) for split in SPLITS},
        parameters=parameters.to_dict(),
        seed=parameters.seed,
        command=parameters.to_command(),
        who=who,
    )
