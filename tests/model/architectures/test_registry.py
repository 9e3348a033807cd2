import json

import numpy as np
import pytest

from core.base.network_catalog import CLASSES, DEFAULT_NETWORK, LIGHT, NETWORKS, TRAINABLE
from model.architectures import registry
from model.artifacts.manifest import Manifest
from pretraining.recipes import RECIPES, describe_recipe
from tests.model.conftest import PRETRAINED, draw_images


def test_seed_cnn_has_the_layers_of_the_original_description():
    layers = registry.build("seed-cnn").layers
    assert [type(layer).__name__ for layer in layers] == [
        "Rescaling",
        "Conv2D",
        "MaxPooling2D",
        "Conv2D",
        "MaxPooling2D",
        "Flatten",
        "Dense",
        "Dense",
    ]
    scale, conv_1, pool_1, conv_2, pool_2, _, dense_1, p_dog = layers
    assert scale.scale == pytest.approx(1 / 255)
    assert scale.offset == 0
    for conv in (conv_1, conv_2):
        assert (conv.filters, conv.kernel_size, conv.strides, conv.padding) == (32, (3, 3), (1, 1), "valid")
        assert conv.activation.__name__ == "relu"
    assert [(pool.pool_size, pool.strides) for pool in (pool_1, pool_2)] == [((2, 2), (2, 2))] * 2
    assert (dense_1.units, dense_1.activation.__name__) == (128, "relu")
    assert (p_dog.units, p_dog.activation.__name__) == (1, "sigmoid")


def test_seed_cnn_has_813217_weights():
    conv_1, conv_2 = 3 * 3 * 3 * 32 + 32, 3 * 3 * 32 * 32 + 32
    dense_1, p_dog = 14 * 14 * 32 * 128 + 128, 128 + 1
    assert registry.build("seed-cnn").count_params() == conv_1 + conv_2 + dense_1 + p_dog == 813_217


def test_a_network_takes_bytes_and_gives_one_probability_each():
    model = registry.build("seed-cnn")
    outputs = np.asarray(model(draw_images(3, 64)))
    assert outputs.shape == (3, 1)
    assert outputs.dtype == np.float32
    assert ((outputs > 0) & (outputs < 1)).all()


def test_the_forward_pass_is_the_formula_of_the_layers():
    model = registry.build("seed-cnn")
    image = draw_images(1, 64)
    kernel_1, bias_1, kernel_2, bias_2, kernel_3, bias_3, kernel_4, bias_4 = model.get_weights()
    x = image[0] / 255.0
    for kernel, bias in ((kernel_1, bias_1), (kernel_2, bias_2)):
        windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(0, 1))
        x = np.maximum(np.einsum("ijcyx,yxcf->ijf", windows, kernel) + bias, 0)
        side = x.shape[0] // 2
        x = x[: 2 * side, : 2 * side].reshape(side, 2, side, 2, -1).max(axis=(1, 3))
    hidden = np.maximum(x.reshape(-1) @ kernel_3 + bias_3, 0)
    expected = 1 / (1 + np.exp(-(hidden @ kernel_4 + bias_4)))
    np.testing.assert_allclose(np.asarray(model(image))[0], expected, atol=1e-5)


def test_an_unknown_network_is_refused_with_the_names_there_are():
    with pytest.raises(ValueError, match=r"seed-cnn.*got 'resnet'"):
        registry.build("resnet")


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_what_core_says_of_a_network_agrees_with_its_layers(name):
    network = NETWORKS[name]
    model = registry.build(name)
    assert model.input_shape == (None, network.side_px, network.side_px, 3)
    assert model.count_params() == network.n_weights
    assert network.name == name


def test_defaults_are_within_their_bounds():
    assert all(
        bounds.contains(bounds.default) for network in TRAINABLE.values() for bounds in network.parameters.values()
    )


def test_a_light_network_takes_the_images_of_its_teacher():
    assert {network.side_px == NETWORKS[network.teacher].side_px for network in LIGHT.values()} == {True}


def test_all_tables_know_the_same_networks():
    assert set(NETWORKS) == set(registry.ARCHITECTURES) == set(RECIPES)
    assert DEFAULT_NETWORK in NETWORKS


@pytest.mark.parametrize("name", sorted(registry.ARCHITECTURES))
def test_an_architecture_is_complete(name):
    """Every layer that it names exists, with the shape that its readers expect, and core says the same of it."""
    architecture, network = registry.get_architecture(name), NETWORKS[name]
    model = architecture.build()
    assert architecture.name == name
    assert (architecture.neither_head is not None) == network.knows_neither == (model.output_shape[1] == 3)
    if name in TRAINABLE:
        assert (architecture.last_layers is not None) == TRAINABLE[name].plan.only_last_layers
    n_features = model.get_layer(architecture.head.features).output.shape[-1]
    assert model.get_layer(architecture.head.class_layer).kernel.shape == (n_features, 1)
    if architecture.head.feature_map is not None:
        assert model.get_layer(architecture.head.feature_map).output.shape[-1] == n_features
    if architecture.neither_head is not None:
        head = architecture.neither_head
        assert model.get_layer(head.layer).kernel.shape == (2, 1)
        assert model.get_layer(head.inputs).output.shape[1:] == (2,)
        assert model.get_layer(head.classifier).kernel.shape[0] == n_features
    names = [layer.name for layer in model.layers]
    weighted = [layer.name for layer in model.layers if layer.weights]
    assert set(architecture.above_features) <= set(weighted)
    if architecture.last_layers is not None:
        last = architecture.last_layers
        assert {last.first, *last.frozen, *last.neither_only} <= set(names)
        assert set(last.frozen) | set(last.neither_only) <= set(architecture.above_features)


def test_every_shipped_file_belongs_to_a_network():
    assert {path.stem for path in PRETRAINED.rglob("*") if path.is_file()} <= set(NETWORKS)
    assert (PRETRAINED / f"{DEFAULT_NETWORK}.npz").exists()
    assert CLASSES == ("cat", "dog")


def test_bounds_allow_their_ends_and_nothing_beyond():
    bounds = TRAINABLE["seed-cnn"].parameters["epochs"]
    assert bounds.contains(1)
    assert bounds.contains(1000)
    assert not bounds.contains(0)
    assert not bounds.contains(1001)


def test_a_recipe_has_the_names_of_the_shipped_manifests():
    manifest = Manifest.from_json((PRETRAINED / "efficientnet-lite0.json").read_bytes())
    assert json.loads(json.dumps(describe_recipe(RECIPES["efficientnet-lite0"]))) == manifest.parameters
