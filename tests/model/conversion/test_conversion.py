"""From weights to a body for LiteRT that agrees, or to the sentence that says why there is none."""

from dataclasses import replace

import numpy as np
import pytest

from model.artifacts.weights import digest_of, pack_weights, unpack_weights
from model.conversion import agreement, conversion
from model.conversion.agreement import compare, find_disagreements
from model.conversion.conversion import ConversionImages, DisagreementError, convert, keep_body
from model.evaluation.version_evaluation import Bounds, EvaluationImages, ThresholdRule, complete_manifest
from model.inference.classifier import Classifier
from model.inference.predictions import Predictions
from model.training.examples import Examples
from tests.model.conftest import draw_images

IMAGES = ConversionImages(draw_images(30, 64, seed=4), draw_images(40, 64, seed=5))


@pytest.fixture(scope="module")
def converted(shipped_manifest, shipped_weights):
    return convert(shipped_manifest, shipped_weights, IMAGES, "0.1.0")


def test_a_network_is_converted_to_int8_with_what_was_measured(shipped, shipped_weights, converted):
    manifest = converted.manifest
    assert (manifest.precision, manifest.weights) == ("int8", shipped.manifest.digest)
    assert (manifest.digest, manifest.n_bytes) == (digest_of(converted.flatbuffer), len(converted.flatbuffer))
    assert manifest.n_bytes < len(shipped_weights) / 3
    assert manifest.agreement["n_images"] == 40
    classifier = Classifier(shipped.manifest, shipped_weights, converted=converted)
    found = compare(shipped.predict_with_features(IMAGES.compared), classifier.predict_with_features(IMAGES.compared))
    assert found.mean_difference == pytest.approx(manifest.agreement["mean_difference"])


def test_without_pictures_for_calibration_it_stays_float32_and_features_stay_those_of_the_weights(
    shipped, shipped_weights
):
    converted = convert(shipped.manifest, shipped_weights, IMAGES._replace(calibration=IMAGES.calibration[:0]), "1")
    assert converted.manifest.precision == "float32"
    classifier = Classifier(shipped.manifest, shipped_weights, converted=converted)
    assert classifier.body == shipped.body
    np.testing.assert_allclose(classifier.predict(IMAGES.compared), shipped.predict(IMAGES.compared), atol=1e-4)


def test_what_does_not_agree_in_int8_is_float32_and_what_agrees_in_neither_is_refused(
    shipped_manifest, shipped_weights, monkeypatch
):
    monkeypatch.setattr(agreement, "MIN_FEATURES_COSINE", 1.1)
    assert convert(shipped_manifest, shipped_weights, IMAGES, "1").manifest.precision == "float32"
    monkeypatch.setattr(agreement, "MAX_DIFFERENCE", -1.0)
    with pytest.raises(DisagreementError, match=r"int8: the cosine of the features .*; float32: probabilities"):
        convert(shipped_manifest, shipped_weights, IMAGES, "1")


def test_a_version_is_measured_as_it_is_served(shipped_manifest, shipped_weights, converted):
    validation = Examples(draw_images(40, 64, seed=1), np.arange(40) % 2)
    rule = ThresholdRule(Bounds(max_wrong=0.1, max_unsure=0.9))
    images = EvaluationImages({"validation": validation})
    made = complete_manifest(shipped_manifest, shipped_weights, images, rule, converted=converted)
    served = Classifier(made, shipped_weights, converted=converted).predict(validation.images)
    metrics = made.metrics["validation"]
    assert metrics["accuracy"] == pytest.approx((served.argmax(axis=1) == validation.labels).mean())
    assert metrics["unsure"] == pytest.approx((served.max(axis=1) < made.threshold).mean())


def test_another_head_keeps_the_body(shipped_manifest, shipped_weights, converted):
    arrays = unpack_weights(shipped_weights)
    arrays["p_dog.bias"] = arrays["p_dog.bias"] + 1
    weights = pack_weights(list(arrays.values()), list(arrays))
    manifest = replace(shipped_manifest, digest=digest_of(weights))
    kept = keep_body(converted, manifest.digest)
    images = draw_images(10, 64)
    before = Classifier(shipped_manifest, shipped_weights, converted=converted).predict_with_features(images)
    after = Classifier(manifest, weights, converted=kept).predict_with_features(images)
    np.testing.assert_array_equal(after.features, before.features)
    assert (after.probabilities[:, 1] > before.probabilities[:, 1]).all()
    assert kept.manifest.agreement["features_cosine"] == converted.manifest.agreement["features_cosine"]
    assert kept.manifest.agreement["n_labels_differ"] is None


def make_predictions(p_second: list[float], features: list[list[float]]) -> Predictions:
    second = np.array(p_second, np.float32)
    return Predictions(np.stack([1 - second, second], axis=1), np.array(features, np.float16))


def test_figures_of_agreement_are_those_worked_out_by_hand():
    expected = make_predictions([0.9, 0.6, 0.2], [[1, 0], [0, 2], [0, 0]])
    found = make_predictions([0.8, 0.4, 0.2], [[1, 0], [2, 0], [0, 0]])
    measured = compare(expected, found, np.array([1, 1, 0]))
    assert (measured.n_images, measured.n_labels_differ, measured.n_lost) == (3, 1, 1)
    assert measured.largest_difference == pytest.approx(0.2)
    assert measured.mean_difference == pytest.approx(0.1)
    assert (measured.features_cosine, measured.features_cosine_low) == (pytest.approx(2 / 3), 0.0)
    assert find_disagreements(measured, "int8") == [
        "probabilities differ by 0.1000 on average",
        "the cosine of the features is 0.667 on average",
    ]


def test_no_more_images_are_compared_than_needed(shipped_manifest, shipped_weights, monkeypatch):
    monkeypatch.setattr(conversion, "N_COMPARED", 7)
    assert convert(shipped_manifest, shipped_weights, IMAGES, "1").manifest.agreement["n_images"] == 7
