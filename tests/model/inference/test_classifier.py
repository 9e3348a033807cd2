import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from model.architectures import registry
from model.arrays.calibration import calibrate
from model.artifacts.weights import BadWeightsError, digest_of, load_into, pack_weights, weight_names
from model.inference.classifier import Classifier
from tests.model.conftest import draw_images
from tests.support.deadlines import within


def test_importing_the_classifier_does_not_import_tensorflow():
    code = (
        "import sys, model.inference.classifier, model.training.trainer;"
        "import model.architectures.batch_norm_folding, model.artifacts.manifest;"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=within(60))


def test_probabilities_are_those_of_the_network_calibrated(shipped, shipped_weights):
    model = registry.build("seed-cnn")
    load_into(model, shipped_weights)
    images = draw_images(20, 64)
    expected = calibrate(np.asarray(model(images)), shipped.manifest.temperature)
    np.testing.assert_allclose(shipped.predict(images), expected, atol=1e-4)


@pytest.mark.parametrize("n", [0, 1, 15, 16, 17, 63, 64, 65, 257])
def test_as_many_answers_as_images(shipped, n):
    probabilities = shipped.predict(draw_images(n, 64))
    assert probabilities.shape == (n, 2)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)


def test_a_padded_tail_is_answered_as_each_image_alone(shipped):
    largest = shipped.batch_size
    images = draw_images(largest + 21, 64)
    together = shipped.predict(images)
    for index in (0, 15, 16, largest - 1, largest, len(images) - 1):
        np.testing.assert_allclose(shipped.predict(images[index : index + 1])[0], together[index], atol=1e-5)


def test_the_order_of_the_images_is_the_order_of_the_answers(shipped):
    images = draw_images(40, 64)
    np.testing.assert_allclose(shipped.predict(images[::-1])[::-1], shipped.predict(images), atol=1e-5)


def test_warming_up_leaves_nothing_to_trace(shipped):
    shipped.warm_up()
    first = shipped.predict(draw_images(3, 64))
    shipped.warm_up()
    np.testing.assert_array_equal(shipped.predict(draw_images(3, 64)), first)


def test_read_only_and_sliced_arrays_are_welcome(shipped):
    images = draw_images(12, 64)
    expected = shipped.predict(images[::2].copy())
    images.setflags(write=False)
    np.testing.assert_array_equal(shipped.predict(images[::2]), expected)


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((2, 64, 64, 3), np.float32),
        np.zeros((2, 32, 32, 3), np.uint8),
        np.zeros((2, 64, 64, 1), np.uint8),
        np.zeros((64, 64, 3), np.uint8),
    ],
)
def test_other_arrays_are_refused(shipped, images):
    with pytest.raises(ValueError, match=r"expected images as uint8 \(N, 64, 64, 3\); got"):
        shipped.predict(images)


def test_weights_with_another_digest_are_refused(shipped_manifest, shipped_weights):
    damaged = bytearray(shipped_weights)
    damaged[1000] ^= 1
    with pytest.raises(BadWeightsError, match="expected weights with the SHA-256"):
        Classifier(shipped_manifest, bytes(damaged))


def test_weights_of_another_shape_are_refused_though_their_digest_fits(shipped_manifest):
    model = registry.build("seed-cnn")
    data = pack_weights(model.get_weights()[:-1], weight_names(model)[:-1])
    with pytest.raises(BadWeightsError, match="another network"):
        Classifier(replace(shipped_manifest, digest=digest_of(data)), data)


def test_a_manifest_for_another_input_is_refused(shipped_manifest, shipped_weights):
    with pytest.raises(BadWeightsError, match="for 96 px"):
        Classifier(replace(shipped_manifest, side_px=96), shipped_weights)


@pytest.mark.slow
def test_threads_are_set_before_the_first_use_and_the_same_number_again_is_harmless():
    code = (
        "from model.inference.tensorflow_engine import configure_threads; configure_threads(1);"
        "import tensorflow as tf;"
        "assert tf.config.threading.get_intra_op_parallelism_threads() == 1;"
        "assert tf.config.threading.get_inter_op_parallelism_threads() == 1;"
        "tf.constant(1) + 1; configure_threads(1)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=within(120))
