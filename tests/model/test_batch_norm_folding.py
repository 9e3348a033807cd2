import numpy as np

from model.architectures import registry
from model.architectures.batch_norm_folding import build_normalised, fold
from tests.model.conftest import draw_images


def make_twin_with_uneven_normalisation():
    twin = build_normalised("seed-cnn", dropout=0.5)
    random = np.random.default_rng(3)
    for layer in twin.layers:
        if layer.name.endswith("_norm"):
            layer.set_weights([random.uniform(0.2, 2.0, weights.shape) for weights in layer.get_weights()])
    return twin


def test_the_folded_network_answers_as_its_twin():
    twin = make_twin_with_uneven_normalisation()
    images = draw_images(16, 64)
    folded = np.asarray(fold(twin, "seed-cnn")(images))
    np.testing.assert_allclose(folded, np.asarray(twin(images, training=False)), atol=1e-5)
    assert folded.std() > 1e-3


def test_the_folded_network_has_the_original_layers():
    folded, original = fold(build_normalised("seed-cnn"), "seed-cnn"), registry.build("seed-cnn")
    assert [layer.name for layer in folded.layers] == [layer.name for layer in original.layers]
    assert folded.count_params() == 813_217


def test_the_twin_drops_only_in_training():
    twin = make_twin_with_uneven_normalisation()
    images = draw_images(8, 64)
    once, again = (np.asarray(twin(images, training=False)) for _ in range(2))
    np.testing.assert_array_equal(once, again)
    assert not np.allclose(np.asarray(twin(images, training=True)), once)
