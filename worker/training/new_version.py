"""What a training makes, and how it is stored."""

from typing import NamedTuple

from model.artifacts.conversion import ConvertedBody
from model.artifacts.manifest import Manifest
from worker.training.evaluation import VersionPredictions


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
