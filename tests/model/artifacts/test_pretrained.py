"""The shipped versions are what their manifests say."""

import hashlib
import os
import re
from pathlib import Path

import numpy as np
import pytest

from core.base.network_catalog import LIGHT, NETWORKS
from core.decoding.images import decode_image
from model.arrays.metrics import evaluate
from model.artifacts.manifest import Manifest
from model.artifacts.weights import unpack_weights
from model.conversion.agreement import Agreement, find_disagreements
from pretraining.shipped import read_shipped
from tests.model.conftest import PRETRAINED, draw_images
from web.example import archive, draw

DATA = os.environ.get("PAWSORT_TEST_DATA")
SHIPPED = sorted(path.stem for path in PRETRAINED.glob("*.json"))
FLOORS = {
    "seed-cnn": 0.82,
    "efficientnet-lite0": 0.99,
    "efficientnet-lite0-fast": 0.99,
    "efficientnet-lite2": 0.99,
    "efficientnet-lite2-fast": 0.99,
}
SIZES_MB = {
    "seed-cnn": 5,
    "efficientnet-lite0": 10,
    "efficientnet-lite0-fast": 3,
    "efficientnet-lite2": 3,
    "efficientnet-lite2-fast": 3,
}
N_SAMPLE = 150  # photographs of each class: enough to see a break, few enough for every run


def read_manifest(network: str) -> Manifest:
    return Manifest.from_json((PRETRAINED / f"{network}.json").read_bytes())


def read_weights(network: str) -> bytes:
    return (PRETRAINED / f"{network}.npz").read_bytes()


def test_every_network_ships_trained():
    assert set(SHIPPED) == set(NETWORKS) == set(FLOORS)


@pytest.mark.parametrize("network", SHIPPED)
def test_the_shipped_weights_are_those_of_the_manifest(network):
    manifest = read_manifest(network)
    assert hashlib.sha256(read_weights(network)).hexdigest() == manifest.digest
    assert manifest.network == network
    assert manifest.side_px == NETWORKS[network].side_px


@pytest.mark.parametrize("network", SHIPPED)
def test_the_shipped_manifest_is_written_as_the_code_writes_it(network):
    text = (PRETRAINED / f"{network}.json").read_text(encoding="utf-8")
    assert read_manifest(network).to_json() == text


@pytest.mark.parametrize("network", SHIPPED)
def test_the_shipped_files_are_small(network):
    assert len(read_weights(network)) < SIZES_MB[network] * 10**6


@pytest.mark.parametrize("network", SHIPPED)
def test_the_manifest_has_the_figures_of_all_parts(network):
    manifest = read_manifest(network)
    assert {"validation", "judging", "test"} <= set(manifest.metrics) <= {"validation", "judging", "test", "strangers"}
    for name, figures in manifest.metrics.items():
        assert figures["threshold"] == manifest.threshold
        if name != "strangers":
            assert figures["accuracy_low"] < figures["accuracy"] < figures["accuracy_high"]
    assert manifest.metrics["test"]["accuracy"] >= FLOORS[network]


@pytest.mark.parametrize("network", SHIPPED)
def test_the_manifest_leaves_nothing_of_its_history_out(network):
    manifest = read_manifest(network)
    assert manifest.who == "shipped"
    assert re.fullmatch(r"\S+ \([0-9a-f]{12}\)", manifest.code_version or "")
    assert manifest.n_bytes == len(read_weights(network))
    assert manifest.speed is not None
    assert manifest.bounds is not None


@pytest.mark.parametrize("network", SHIPPED)
def test_the_curve_of_errors_passes_through_the_threshold(network):
    figures = read_manifest(network).metrics["validation"]
    curve = list(zip(*(figures["coverage"][name] for name in ("threshold", "labelled", "wrong")), strict=True))
    before = max(point for point in curve if point[0] <= figures["threshold"])
    after = min(point for point in curve if point[0] >= figures["threshold"])
    assert after[1] <= round(1 - figures["unsure"], 6) <= before[1]
    assert [labelled for _, labelled, _ in curve] == sorted((labelled for _, labelled, _ in curve), reverse=True)


def test_the_float16_weights_of_efficientnet_lite0_are_finite():
    arrays = unpack_weights(read_weights("efficientnet-lite0"))
    assert {array.dtype for array in arrays.values()} == {np.dtype(np.float16)}
    assert all(np.isfinite(array).all() for array in arrays.values())


@pytest.mark.parametrize("network", sorted(set(NETWORKS) - set(LIGHT)))
def test_a_shipped_body_in_int8_agrees_with_the_network_in_float(network):
    conversion = read_shipped(network, PRETRAINED).body.manifest
    assert conversion.precision == "int8"
    assert conversion.agreement["n_images"] == 1000
    assert find_disagreements(Agreement(**conversion.agreement), "int8") == []


@pytest.mark.parametrize("network", sorted(LIGHT))
def test_a_light_version_names_the_shipped_teacher(network):
    cascade = read_manifest(network).cascade
    assert cascade is not None
    assert cascade["teacher"] == read_manifest(LIGHT[network].teacher).digest


def test_both_light_networks_have_one_body_and_heads_of_their_own():
    first, second = (read_shipped(network, PRETRAINED) for network in sorted(LIGHT))
    assert first.body.flatbuffer == second.body.flatbuffer
    assert first.weights != second.weights


@pytest.mark.parametrize("network", ["efficientnet-lite0", "efficientnet-lite2"])
def test_pictures_of_nothing_are_turned_away(network, networks_that_ship):
    """Plain colours and kinds of noise that were not used to set the threshold."""
    manifest = read_manifest(network)
    side_px = manifest.side_px
    random = np.random.default_rng(11)
    plain = np.broadcast_to(random.integers(0, 256, (12, 1, 1, 3), dtype=np.uint8), (12, side_px, side_px, 3))
    salt = plain.copy()
    salt[random.random(salt.shape[:3]) < 0.2] = 255
    squares = np.kron(random.integers(0, 256, (12, -(-side_px // 8), -(-side_px // 8), 3)), np.ones((1, 8, 8, 1)))
    squares = squares[:, :side_px, :side_px]
    pictures = np.concatenate([plain, salt, squares.astype(np.uint8), draw_images(12, side_px)])
    probabilities = networks_that_ship[network].predict(pictures)
    assert (probabilities.sum(axis=1) <= 1 + 1e-6).all()
    assert (probabilities.max(axis=1) < manifest.threshold).mean() >= 0.9


@pytest.mark.skipif(not DATA, reason="PAWSORT_TEST_DATA is not set: no photographs to measure on")
@pytest.mark.parametrize(
    "network", [one for one in SHIPPED if one != "efficientnet-lite2-fast"]
)  # it is measured below
def test_photographs_get_the_labels_that_the_manifest_promises(network, networks_that_ship):
    assert DATA
    manifest = read_manifest(network)
    files = [
        (path, label)
        for label, name in enumerate(("cats", "dogs"))
        for path in photographs(Path(DATA), name)[:N_SAMPLE]
    ]
    images = np.stack([decode_image(path.read_bytes(), manifest.side_px) for path, _ in files])
    labels = np.array([label for _, label in files])
    probabilities = networks_that_ship[network].predict(images)
    figures = evaluate(probabilities, labels, manifest.classes, manifest.threshold)
    promised = manifest.metrics["test"]
    # Three standard deviations of what 300 of the photographs can differ from all of them.
    spread = 3 * np.sqrt(promised["accuracy"] * (1 - promised["accuracy"]) / len(labels))
    assert figures.accuracy == pytest.approx(promised["accuracy"], abs=spread)
    spread = 3 * np.sqrt(promised["unsure"] * (1 - promised["unsure"]) / len(labels))
    assert figures.unsure == pytest.approx(promised["unsure"], abs=spread)


@pytest.mark.slow
@pytest.mark.skipif(not DATA, reason="PAWSORT_TEST_DATA is not set: no photographs to measure on")
@pytest.mark.parametrize("network", SHIPPED)
def test_the_test_figures_of_the_manifest_are_what_is_measured(network, networks_that_ship):
    assert DATA
    manifest = read_manifest(network)
    files = [(path, label) for label, name in enumerate(("cats", "dogs")) for path in photographs(Path(DATA), name)]
    images = np.stack([decode_image(path.read_bytes(), manifest.side_px) for path, _ in files])
    labels = np.array([label for _, label in files])
    probabilities = networks_that_ship[network].predict(images)
    figures = evaluate(probabilities, labels, manifest.classes, manifest.threshold)
    promised = manifest.metrics["test"]
    assert figures.n_images == promised["n_images"] == 1000
    # Other processors round otherwise, which can move a picture or two across the line.
    assert figures.accuracy == pytest.approx(promised["accuracy"], abs=0.002)
    assert figures.log_loss == pytest.approx(promised["log_loss"], abs=0.002)
    assert figures.unsure == pytest.approx(promised["unsure"], abs=0.003)


@pytest.mark.slow
@pytest.mark.skipif(not DATA, reason="PAWSORT_TEST_DATA is not set: no photographs to measure on")
def test_the_cascade_takes_no_more_of_neither_class_for_a_pet_than_its_teacher_in_float(light, lite):
    assert DATA
    files = sorted((Path(DATA) / "neither").iterdir())
    images = np.stack([decode_image(path.read_bytes(), light.side_px) for path in files])
    n_unsure = {
        one.network: int((one.predict(images).max(axis=1) < one.manifest.threshold).sum()) for one in (light, lite)
    }
    assert n_unsure[light.network] >= n_unsure[lite.network] >= 258


def photographs(folder: Path, name: str) -> list[Path]:
    return sorted((folder / "dogs-vs-cats" / "val" / name).iterdir())


def test_the_default_network_labels_the_drawings_of_the_example(lite):
    images = np.stack([decode_image(file.read_bytes(), lite.side_px) for file in archive.list_drawings()])
    threshold = read_manifest("efficientnet-lite0").threshold
    for (what, seed, is_sure), shares in zip(draw.PICTURES, lite.predict(images), strict=True):
        label = lite.classes[shares.argmax()] if shares.max() >= threshold else "unsure"
        assert label == (what if is_sure else "unsure"), (what, seed, shares)
