"""What a network says beside probabilities: features that its head reads, and evidence of places."""

import numpy as np
import pytest

from model.architectures import registry
from model.architectures.registry import get_architecture
from model.artifacts.weights import digest_body, load_into, unpack_weights
from model.inference.predictions import encode_activation_map
from tests.model.conftest import PRETRAINED, draw_images


def test_the_head_on_the_features_gives_the_answer(shipped, shipped_weights):
    predictions = shipped.predict_with_features(draw_images(70, 64))
    assert predictions.features.dtype == np.float16
    model = registry.build("seed-cnn")
    load_into(model, shipped_weights)
    kernel, offset = model.get_layer("p_dog").get_weights()
    lean = predictions.features.astype(np.float32) @ kernel + offset
    expected = (
        np.log(predictions.probabilities[:, 1:] / predictions.probabilities[:, :1]) * shipped.manifest.temperature
    )
    np.testing.assert_allclose(lean, expected, atol=0.03)
    assert predictions.evidence is None  # its dense layers have lost the places


def test_the_mean_evidence_of_all_places_is_what_the_head_says_of_the_picture(lite):
    images = draw_images(3, 224)
    predictions = lite.predict_with_features(images)
    assert predictions.evidence is not None
    assert predictions.evidence.shape == (3, 7, 7)
    model = registry.build("efficientnet-lite0")
    load_into(model, (PRETRAINED / "efficientnet-lite0.npz").read_bytes())
    kernel, offset = model.get_layer("dog").get_weights()
    lean = (predictions.features.astype(np.float32) @ kernel + offset)[:, 0]
    np.testing.assert_allclose(predictions.evidence.mean(axis=(1, 2)), lean, atol=0.02)


def test_looking_and_predicting_say_the_same(shipped):
    images = draw_images(21, 64)
    np.testing.assert_array_equal(shipped.predict_with_features(images).probabilities, shipped.predict(images))


def test_no_pictures_have_no_rows(lite):
    predictions = lite.predict_with_features(draw_images(0, 224))
    assert [rows.shape for rows in predictions if rows is not None] == [(0, 2), (0, 1280), (0, 7, 7)]


def test_evidence_is_where_the_picture_shows_something(lite):
    images = np.full((1, 224, 224, 3), 127, np.uint8)
    before = lite.predict_with_features(images).evidence
    images[:, :96, :96] = draw_images(1, 96)
    moved = np.abs(lite.predict_with_features(images).evidence - before)[0]
    assert moved[:3, :3].mean() > 1.5 * moved[5:, 5:].mean()  # depth lets each place see most of the picture


def test_another_head_leaves_the_body_what_it_was_and_another_layer_does_not(shipped, shipped_weights):
    arrays, architecture = unpack_weights(shipped_weights), get_architecture("seed-cnn")
    assert digest_body(arrays, architecture) == shipped.body
    arrays["p_dog.kernel"] += 1
    assert digest_body(arrays, architecture) == shipped.body
    arrays["conv_2.kernel"] += 1
    assert digest_body(arrays, architecture) != shipped.body


def test_heat_is_what_speaks_for_the_class_the_most_of_it_at_255():
    evidence = np.array([[2.0, -1.0], [0.0, -4.0]], np.float32)
    assert list(encode_activation_map(evidence, 1)) == [255, 0, 0, 0]
    assert list(encode_activation_map(evidence, 0)) == [0, 64, 0, 255]


@pytest.mark.parametrize("evidence", [np.zeros((2, 2), np.float32), np.full((2, 2), np.inf, np.float32)])
def test_where_nothing_speaks_for_the_class_all_is_cold(evidence):
    assert encode_activation_map(evidence, 1) == bytes(4)
