"""A new head on known features: what it says is what the network would, and it forgets little."""

import numpy as np
import pytest

from model.architectures import registry
from model.architectures.head_outputs import class_logits_of, outputs_of
from model.architectures.registry import get_architecture
from model.artifacts.weights import load_into, pack_weights, unpack_weights
from model.training.refit_head import refit
from tests.model.conftest import PRETRAINED, draw_images


@pytest.fixture(scope="module")
def lite():
    return unpack_weights((PRETRAINED / "efficientnet-lite0.npz").read_bytes())


def features_of(n, seed=0):
    return np.maximum(np.random.default_rng(seed).normal(0.3, 0.5, (n, 1280)), 0).astype(np.float16)


@pytest.mark.parametrize("network", ["seed-cnn", "efficientnet-lite0"])
def test_what_is_said_of_features_is_what_the_network_says_of_the_pictures(network):
    import keras

    weights = (PRETRAINED / f"{network}.npz").read_bytes()
    model = registry.build(network)
    load_into(model, weights)
    both = keras.Model(
        model.inputs[0], [model.get_layer(get_architecture(network).head.features).output, model.outputs[0]]
    )
    features, expected = both(draw_images(6, model.input_shape[1]))
    np.testing.assert_allclose(outputs_of(network, unpack_weights(weights), np.asarray(features)), expected, atol=1e-4)


def test_new_heads_fit_into_the_network_and_nothing_else_changes(lite):
    rows = features_of(300)
    labels = np.arange(300) % 3
    new = refit("efficientnet-lite0", lite, rows, labels)
    model = registry.build("efficientnet-lite0")
    load_into(model, pack_weights(list(new.values()), list(new)))
    changed = {name for name in lite if not np.array_equal(lite[name], new[name])}
    assert changed == {"dog.kernel", "dog.bias", "pet.kernel", "pet.bias"}
    assert all(new[name].dtype == lite[name].dtype for name in lite)


def test_without_pictures_of_neither_what_is_turned_away_is_left_alone(lite):
    new = refit("efficientnet-lite0", lite, features_of(100), np.arange(100) % 2)
    np.testing.assert_array_equal(new["pet.kernel"], lite["pet.kernel"])


def test_the_more_labels_contradict_the_old_head_the_further_the_new_one_moves(lite):
    def moved(n):
        rows = features_of(n)
        lean = class_logits_of("efficientnet-lite0", lite, rows)[:, 0]
        new = refit("efficientnet-lite0", lite, rows, (lean < np.median(lean)).astype(int))
        others = features_of(500, seed=1)
        before, after = (class_logits_of("efficientnet-lite0", arrays, others) for arrays in (lite, new))
        return float(np.abs(after - before).mean())

    few, some, many = moved(20), moved(200), moved(2000)
    assert few < some < many
    assert many > 2 * few


def test_labels_of_nothing_but_its_mistakes_do_not_turn_a_head_into_its_opposite(lite):
    rows, others = features_of(300), features_of(500, seed=1)
    mistakes = (class_logits_of("efficientnet-lite0", lite, rows)[:, 0] < 0).astype(int)
    before = class_logits_of("efficientnet-lite0", lite, others)[:, 0] > 0

    def share_kept(is_honest):
        new = refit("efficientnet-lite0", lite, rows, mistakes, np.full(300, is_honest))
        return ((class_logits_of("efficientnet-lite0", new, others)[:, 0] > 0) == before).mean()

    assert share_kept(False) > 0.8
    assert share_kept(False) > share_kept(True) + 0.1  # whoever labels whatever it shows has a word that counts


def test_one_class_alone_is_refused(lite):
    with pytest.raises(ValueError, match="both classes"):
        refit("efficientnet-lite0", lite, features_of(10), np.zeros(10, int))
