"""The shipped networks, for benchmarks: run by LiteRT, as a CPU serves them, or by TensorFlow."""

from pathlib import Path

from model.inference.classifier import Classifier
from pretraining import shipped

FOLDER = Path(__file__).parents[1] / "model" / "pretrained"


def open_shipped(network: str, *, with_tensorflow: bool = False) -> Classifier:
    """A shipped network with one thread, warmed up; a light one with its teacher."""
    if with_tensorflow:
        files = shipped.read_shipped(network, FOLDER)
        classifier = Classifier(files.manifest, files.weights)
    else:
        classifier = shipped.open_shipped(network, FOLDER, n_threads=1)
    classifier.warm_up()
    return classifier
