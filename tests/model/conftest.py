"""What the tests of the networks share: the shipped version, and pictures that are drawn, not photographed."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import model
from model.artifacts.manifest import Manifest
from model.inference.classifier import Classifier
from pretraining.shipped import open_shipped

PRETRAINED = Path(next(iter(model.__path__))) / "pretrained"


def draw_images(n: int, side_px: int, seed: int = 0) -> NDArray[np.uint8]:
    """Soft blotches of colour, (n, side_px, side_px, 3): unlike each other, and smooth as photographs are."""
    random = np.random.default_rng(seed)
    waves = random.uniform(0.5, 3.0, (n, 3, 2))
    phases = random.uniform(0, 6.28, (n, 3))
    places = np.linspace(0, 1, side_px)
    angle = 6.28 * (
        waves[:, None, None, :, 0] * places[None, :, None, None]
        + waves[:, None, None, :, 1] * places[None, None, :, None]
    )
    pixels = 127.5 + 120 * np.sin(angle + phases[:, None, None, :])
    return pixels.astype(np.uint8)


@pytest.fixture(scope="session")
def shipped_manifest() -> Manifest:
    return Manifest.from_json((PRETRAINED / "seed-cnn.json").read_bytes())


@pytest.fixture(scope="session")
def shipped_weights() -> bytes:
    return (PRETRAINED / "seed-cnn.npz").read_bytes()


@pytest.fixture(scope="session")
def shipped(shipped_manifest: Manifest, shipped_weights: bytes) -> Classifier:
    return Classifier(shipped_manifest, shipped_weights)


@pytest.fixture(scope="session")
def lite() -> Classifier:
    """The large network, which takes seconds to build."""
    manifest = Manifest.from_json((PRETRAINED / "efficientnet-lite0.json").read_bytes())
    return Classifier(manifest, (PRETRAINED / "efficientnet-lite0.npz").read_bytes())


@pytest.fixture(scope="session")
def light() -> Classifier:
    """The light version in front of `efficientnet-lite0`, as CPUs serve both."""
    return open_shipped("efficientnet-lite0-fast", PRETRAINED)


@pytest.fixture(scope="session")
def networks_that_ship(shipped: Classifier, lite: Classifier, light: Classifier) -> dict[str, Classifier]:
    larger = [open_shipped(network, PRETRAINED) for network in ("efficientnet-lite2", "efficientnet-lite2-fast")]
    return {one.manifest.network: one for one in (shipped, lite, light, *larger)}
