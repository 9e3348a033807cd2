"""The shipped networks, for benchmarks: run by LiteRT, as a CPU serves them, or by TensorFlow."""

from pathlib import Path

from model.artifacts.conversion import ConversionManifest, ConvertedBody
from model.artifacts.manifest import Manifest
from model.inference.classifier import Classifier

FOLDER = Path(__file__).parents[1] / "model" / "pretrained"


def open_shipped(network: str, *, with_tensorflow: bool = False) -> Classifier:
    """A shipped network with one thread, warmed up."""
    manifest = Manifest.from_json((FOLDER / f"{network}.json").read_text())
    weights = (FOLDER / f"{network}.npz").read_bytes()
    classifier = Classifier(manifest, weights, converted=None if with_tensorflow else _read_converted(network))
    classifier.warm_up()
    return classifier


def _read_converted(network: str) -> ConvertedBody:
    manifest = ConversionManifest.from_json((FOLDER / "converted" / f"{network}.json").read_text())
    return ConvertedBody(manifest, (FOLDER / "converted" / f"{network}.tflite").read_bytes())
