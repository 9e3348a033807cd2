from dataclasses import replace

import numpy as np
import pytest

from model.architectures.efficientnet_lite import LITE0, build_efficientnet_lite
from model.architectures.registry import get_architecture
from model.artifacts.manifest import Manifest
from model.inference.classifier import Classifier
from pretraining import transfer_learning
from pretraining.activation_cache import ActivationCache
from pretraining.frozen_layers import freeze_in_float, freeze_in_int8
from pretraining.head_inputs import LabelledInputs, compute_from_activations
from pretraining.labelled_folders import NEITHER, Folders, decode_all, read_folder, read_negatives
from pretraining.recipes import RECIPES
from tests.model.conftest import draw_images
from tests.pretraining.test_from_scratch import draw_labelled_folder

ARCHITECTURE = get_architecture("efficientnet-lite0")
RECIPE = RECIPES["efficientnet-lite0"]
FIRST = RECIPE.body.fine_tuning.first


@pytest.fixture(scope="module")
def small():
    """The network for tiny pictures, its weights drawn at random."""
    return build_efficientnet_lite(LITE0._replace(side_px=32))


def test_head_inputs_are_features_and_evidence(small):
    import keras

    images = draw_images(10, 32)
    activations = freeze_in_float(small, FIRST)(images)
    rows = compute_from_activations(small, ARCHITECTURE, FIRST, activations)
    assert rows.shape == (10, 1281)
    plain = keras.Model(small.input, [small.get_layer("features").output, small.get_layer("signs").output])
    features, signs = plain(images)
    np.testing.assert_allclose(rows[:, :-1], features, atol=1e-3)
    np.testing.assert_allclose(rows[:, -1], signs[:, 0], atol=1e-3)


@pytest.fixture(scope="module")
def lively():
    """As drawn, the layers make so little of a picture that float16 keeps nothing."""
    import keras

    model = build_efficientnet_lite(LITE0._replace(side_px=32))
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.gamma.assign(np.full(layer.gamma.shape, 3.0))
    return model


@pytest.mark.slow
def test_frozen_layers_in_int8_give_about_what_those_in_float_give(lively):
    images = draw_images(12, 32)
    in_float = freeze_in_float(lively, FIRST)(images).astype(np.float32)
    in_int8 = freeze_in_int8(lively, FIRST, images)(images).astype(np.float32)
    assert in_float.shape == in_int8.shape == (12, *lively.get_layer(FIRST).input.shape[1:])
    assert not np.array_equal(in_float, in_int8)
    assert np.corrcoef(in_float.ravel(), in_int8.ravel())[0, 1] > 0.9


@pytest.fixture
def variations(lively, tmp_path):
    recipe = replace(RECIPE.body, n_variations=3, source_px=40)
    return ActivationCache(lively, freeze_in_float(lively, FIRST), ARCHITECTURE, recipe, tmp_path / "cache")


def test_variations_are_kept_and_the_first_is_the_picture_as_it_is(variations, tmp_path, monkeypatch):
    photographs = read_folder(draw_labelled_folder(tmp_path / "data", 5))
    seen = variations.compute(photographs)
    assert len(seen.activations) == len(seen.logits) == 3
    assert seen.labels.tolist() == [0] * 5 + [1] * 5
    assert not np.array_equal(seen.activations[0], seen.activations[1])
    assert not np.array_equal(seen.activations[1], seen.activations[2])

    def fail(*args):
        raise AssertionError("computed again")

    monkeypatch.setattr(ActivationCache, "_compute_variation", fail)
    again = variations.compute(photographs)
    np.testing.assert_array_equal(again.activations[2], seen.activations[2])


def test_the_heads_learn_to_tell_dogs_and_negatives(small):
    random = np.random.default_rng(1)
    labels = np.arange(400) % 2
    rows = random.normal(0, 1, (450, 1281)).astype(np.float32)
    rows[:400, 3] += 4 * labels
    rows[:, -1] += np.where(np.arange(450) < 400, 2, -2)  # evidence: the last 50 are negatives
    transfer_learning.fit_heads(
        small, ARCHITECTURE, replace(RECIPE, decay=0.1), LabelledInputs(rows[:400], labels), rows[400:]
    )
    kernel, offset = small.get_layer("dog").get_weights()
    leans = (rows[:, :-1] @ kernel + offset)[:, 0]
    assert ((leans[:400] > 0) == labels).mean() > 0.95
    kernel, offset = small.get_layer("pet").get_weights()
    assert (kernel > 0).all()
    logits = (np.stack([rows[:, -1], np.abs(leans)], axis=1) @ kernel + offset)[:, 0]
    assert (logits[:400] > 0).mean() > 0.95
    assert (logits[400:] < 0).mean() > 0.8


def test_negatives_are_read_from_all_folders_below_and_have_no_class(tmp_path):
    draw_labelled_folder(tmp_path, 3)
    (tmp_path / "copy.bmp").write_bytes((tmp_path / "cats" / "0000.bmp").read_bytes())
    negatives = read_negatives(tmp_path)
    assert len(negatives) == 6
    assert {photograph.label for photograph in negatives} == {NEITHER}


@pytest.mark.slow
def test_a_folder_becomes_a_version_whose_float16_answers_are_those_of_the_network(tmp_path, monkeypatch):
    """The whole way, with weights drawn at random in place of the published ones, and the heads'."""
    monkeypatch.setattr(transfer_learning, "fit_heads", lambda *args: None)  # on such features they would not be finite
    monkeypatch.setattr(transfer_learning, "find_weights", lambda published: b"drawn")
    monkeypatch.setattr(transfer_learning, "read_tensors", lambda data: data)
    built = []
    monkeypatch.setattr(transfer_learning, "load_published", lambda tensors, model, architecture: built.append(model))
    data = draw_labelled_folder(tmp_path / "data", 600)
    fine_tuning = replace(RECIPE.body.fine_tuning, epochs=1)
    recipe = replace(RECIPE, n_drawn=2, decay=1.0, body=replace(RECIPE.body, fine_tuning=fine_tuning, n_variations=2))
    folders = Folders([data], tmp_path / "out", tmp_path / "cache", neither=data / "cats")
    made = transfer_learning.make_transferred("efficientnet-lite0", recipe, folders)
    manifest = Manifest.from_json((tmp_path / "out" / "efficientnet-lite0.json").read_text())
    assert manifest == made
    assert set(manifest.metrics) == {"validation", "judging", "strangers"}
    assert manifest.metrics["strangers"]["n_images"] > 10
    assert manifest.seed == recipe.seed
    weights = (tmp_path / "out" / "efficientnet-lite0.npz").read_bytes()
    assert len(weights) < 10e6
    images, _, _ = decode_all(read_folder(data)[::100], manifest.side_px)
    stored = Classifier(manifest, weights).outputs(images)
    np.testing.assert_allclose(stored, np.asarray(built[0](images)), atol=1e-3)
