"""LiteRT says what TensorFlow says, and needs no TensorFlow to say it."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from model.artifacts.conversion import ConversionManifest, ConvertedBody
from model.artifacts.manifest import Manifest
from model.artifacts.weights import BadWeightsError
from model.conversion.agreement import compare
from model.inference.classifier import Classifier
from model.inference.litert_engine import LiteRTLayers
from tests.model.conftest import PRETRAINED, draw_images
from tests.support.deadlines import within
from tests.support.paths import ROOT

NETWORKS = ("seed-cnn", "efficientnet-lite0")


def read_converted(network: str) -> ConvertedBody:
    manifest = (PRETRAINED / "converted" / f"{network}.json").read_text()
    flatbuffer = (PRETRAINED / "converted" / f"{network}.tflite").read_bytes()
    return ConvertedBody(ConversionManifest.from_json(manifest), flatbuffer)


def load(network: str) -> Classifier:
    manifest = Manifest.from_json((PRETRAINED / f"{network}.json").read_text())
    weights = (PRETRAINED / f"{network}.npz").read_bytes()
    return Classifier(manifest, weights, converted=read_converted(network))


@pytest.fixture(scope="module")
def small() -> Classifier:
    return load("seed-cnn")


@pytest.mark.parametrize("network", NETWORKS)
def test_a_shipped_network_agrees_with_tensorflow(network: str, networks_that_ship: dict[str, Classifier]) -> None:
    converted = load(network)
    assert (converted.engine.name, converted.engine.precision) == ("LiteRT", "int8")
    images = draw_images(32, converted.side_px)
    expected, found = (one.predict_with_features(images) for one in (networks_that_ship[network], converted))
    assert [rows is not None and rows.dtype for rows in found] == [rows is not None and rows.dtype for rows in expected]
    agreement = compare(expected, found)
    assert (agreement.n_labels_differ or 0) <= 4, "drawn pictures are no cats and no dogs: some are in between"
    assert agreement.features_cosine > 0.85
    if agreement.maps_cosine is not None:
        assert agreement.maps_cosine > 0.7


@pytest.mark.parametrize("n", [0, 1, 16, 17, 40])
def test_as_many_answers_as_images_in_their_order(small: Classifier, n: int) -> None:
    images = draw_images(40, 64)
    np.testing.assert_allclose(small.predict(images[:n]), small.predict(images)[:n], atol=1e-6)


def test_features_of_an_int8_body_are_told_from_those_of_the_weights(small: Classifier, shipped: Classifier) -> None:
    assert small.weights_body == shipped.weights_body == shipped.body
    assert small.body == read_converted("seed-cnn").manifest.digest


def test_a_body_of_other_weights_or_with_another_digest_is_refused() -> None:
    manifest = Manifest.from_json((PRETRAINED / "seed-cnn.json").read_text())
    weights = (PRETRAINED / "seed-cnn.npz").read_bytes()
    right = read_converted("seed-cnn")
    of_others = ConvertedBody(replace(right.manifest, weights="0" * 64), right.flatbuffer)
    for wrong in (of_others, right._replace(flatbuffer=right.flatbuffer + b"\0")):
        with pytest.raises(BadWeightsError, match="expected the converted body"):
            Classifier(manifest, weights, converted=wrong)


def test_a_process_that_serves_by_litert_never_imports_tensorflow() -> None:
    code = (
        "import sys, numpy as np\n"
        "from tests.model.inference.test_litert_engine import load\n"
        "assert load('seed-cnn').predict(np.zeros((1, 64, 64, 3), np.uint8)).shape == (1, 2)\n"
        "print([name for name in ('tensorflow', 'keras') if name in sys.modules])\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=within(60))
    assert run.stdout.strip() == "[]", run.stderr


def test_a_manifest_of_another_format_is_refused() -> None:
    document = read_converted("seed-cnn").manifest.to_dict()
    assert ConversionManifest.from_dict(document).to_dict() == document
    for wrong in ({**document, "format": 2}, {**document, "precision": "int4"}, {**document, "more": 1}):
        with pytest.raises(ValueError, match="expected format 1"):
            ConversionManifest.from_dict(wrong)


def test_layers_that_shrink_their_images_first_take_larger_ones() -> None:
    body = read_converted("efficientnet-lite0-fast").flatbuffer
    images = draw_images(2, 448)
    halved = images.reshape(2, 224, 2, 224, 2, 3).mean(axis=(2, 4)).astype(np.uint8)
    features, found = LiteRTLayers(body).run(halved), LiteRTLayers(body, side_px=448).run(images)
    assert features.shape == found.shape
    assert np.corrcoef(features.ravel(), found.ravel())[0, 1] > 0.9


@pytest.mark.parametrize(("network", "side_px"), [("seed-cnn", 80), ("efficientnet-lite0", 256)])
def test_layers_that_would_see_another_number_of_places_refuse_the_size(network: str, side_px: int) -> None:
    with pytest.raises(BadWeightsError, match=f"expected layers for images of {side_px} px"):
        LiteRTLayers(read_converted(network).flatbuffer, side_px)
