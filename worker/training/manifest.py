"""From trained weights to a manifest, for what a job trains and for what ships alike."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from core.base.network_catalog import CLASSES, NETWORKS
from core.training.parameters import Parameters
from core.training.splits import RULE, Part
from model.arrays.image_arrays import Pictures
from model.artifacts.manifest import Manifest
from model.artifacts.weights import digest_of
from model.evaluation.report import Bounds, complete_manifest
from model.training.train import Examples
from worker.process.code_version import code_version
from worker.training.dataset import PARTS, Samples

# Of the validation part, at the version's own threshold; where not everything can be had, the second one is kept.
TRAINED = Bounds(max_wrong=0.01, max_unsure=0.5, max_taken=0.1)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a network comes from: the fields of `Manifest` that nothing measures.

    Attributes:
        n_by_part: How many pictures each part got.
    """

    network: str
    data: dict[str, Any]
    n_by_part: dict[str, int]
    parameters: dict[str, Any]
    seed: int
    command: str
    who: str


def judge_version(
    origin: Origin,
    weights: bytes,
    watched: Mapping[str, Examples],
    bounds: Bounds,
    strangers: Pictures | None = None,
    known_threshold: float = 0.0,
    on_batch: Callable[[], object] = lambda: None,
) -> Manifest:
    """The manifest of a trained network, with everything that is fitted and measured.

    Args:
        weights, watched, bounds, strangers, known_threshold, on_batch: As
            `model.evaluation.report.complete_manifest` takes them.
    """
    plain = plain_manifest(origin, weights)
    return complete_manifest(plain, weights, watched, bounds, strangers, known_threshold, on_batch)


def plain_manifest(origin: Origin, weights: bytes) -> Manifest:
    """The manifest of a trained network but for what is fitted and measured."""
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
        split={"rule": RULE, **origin.n_by_part},
        parameters=origin.parameters,
        seed=origin.seed,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        command=origin.command,
        who=origin.who,
        code_version=code_version(),
        half_precision=True,  # tried against float32 wherever it is loaded (model/inference/classifier.py)
    )


def make_manifest(
    parameters: Parameters,
    weights: bytes,
    samples: Samples,
    watched: Mapping[Part, Examples],
    n_unreadable: int,
    who: str,
    strangers: Pictures | None = None,
    known_threshold: float = 0.0,
    on_batch: Callable[[], object] = lambda: None,
) -> Manifest:
    """Describe a network that a job has trained.

    Args:
        weights: The .npz file of the network.
        samples: What it learned from and was judged on.
        watched: Pictures of the validation and the judging part, in the size of the network's input.
        n_unreadable: Pictures that were left out.
        who: Name of the user whose job it was.
        strangers: Pictures of neither class from the validation part, in the size of the network's input.
        known_threshold: That of the version it started from; 0 when it started anew.
        on_batch: Called before each batch of pictures; what it raises ends the work.
    """
    origin = origin_of(parameters, samples, n_unreadable, who)
    by_name = {str(part): one for part, one in watched.items()}
    return judge_version(origin, weights, by_name, TRAINED, strangers, known_threshold, on_batch)


def origin_of(parameters: Parameters, samples: Samples, n_unreadable: int, who: str) -> Origin:
    """Where a network comes from that a job has trained."""
    return Origin(
        network=parameters.network,
        data={"n_images": samples.count_classes(), "n_unreadable": n_unreadable, "sha256": samples.digest()},
        n_by_part={str(part): samples.count(part) for part in PARTS},
        parameters=parameters.to_dict(),
        seed=parameters.seed,
        command=parameters.to_command(),
        who=who,
    )
