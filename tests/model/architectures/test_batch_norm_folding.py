import numpy as np

from model.architectures import registry
from model.architectures.batch_norm_folding import build_normalised, fold
from tests.model.conftest import draw_images


def make_normalised_with_uneven_statistics():
    normalised = build_normalised("seed-cnn", dropout=0.5)
    random = np.random.default_rng(3)
    for layer in normalised.layers:
        if layer.name.endswith("_norm"):
            layer.set_weights([random.uniform(0.2, 2.0, weights.shape) for weights in layer.get_weights()])
    return normalised


def test_the_folded_network_predicts_as_the_normalised_one():
    normalised = make_normalised_with_uneven_statistics()
    images = draw_images(16, 64)
    folded = np.asarray(fold(normalised, "seed-cnn")(images))
    np.testing.assert_allclose(folded, np.asarray(normalised(images, training=False)), atol=1e-5)
    assert folded.std() > 1e-3


def test_the_folded_network_has_the_original_layers():
    folded, original = fold(build_normalised("seed-cnn"), "seed-cnn"), registry.build("seed-cnn")
    assert [layer.name for layer in folded.layers] == [layer.name for layer in original.layers]
    assert folded.count_params() == 813_217


def test_dropout_is_active_only_in_training():
    normalised = make_normalised_with_uneven_statistics()
    images = draw_images(8, 64)
    once, again = (np.asarray(normalised(images, training=False)) for _ in range(2))
    np.testing.assert_array_equal(once, again)
    assert not np.allclose(np.asarray(normalised(images, training=True)), once)
