from dataclasses import replace

import numpy as np
import pytest

from model.classifier import Classifier
from model.efficientnet import build_efficientnet_lite0
from model.manifest import Manifest
from tests.worker.test_offline import draw_labelled_folder
from worker import features, transfer
from worker.features import Described, Extractor
from worker.folders import NEITHER, decode_all, read_folder, read_strangers
from worker.recipes import SHIPPED

RECIPE = SHIPPED["efficientnet-lite0"]


@pytest.fixture(scope="module")
def small():
    """The network for tiny pictures, its weights drawn at random."""
    return build_efficientnet_lite0(32)


def test_descriptions_are_those_of_the_layers_in_the_order_of_the_photographs(small, tmp_path):
    import keras

    photographs = read_folder(draw_labelled_folder(tmp_path / "data", 5))
    described = Extractor(small, tmp_path / "cache").describe(photographs, "all", mirrored=True)
    assert described.rows.shape == (20, 1281)
    assert described.labels.tolist() == ([0] * 5 + [1] * 5) * 2
    images, _, _ = decode_all(photographs, 32)
    plain = keras.Model(small.input, [small.get_layer("features").output, small.get_layer("signs").output])
    features, signs = plain(np.concatenate([images, images[:, :, ::-1]]))
    np.testing.assert_allclose(described.rows[:, :-1], features, atol=1e-4)
    np.testing.assert_allclose(described.rows[:, -1], signs[:, 0], atol=1e-4)


def test_what_was_described_once_is_kept(small, tmp_path, monkeypatch):
    monkeypatch.setattr(features, "_BLOCK", 4)
    photographs = read_folder(draw_labelled_folder(tmp_path / "data", 5))
    first = Extractor(small, tmp_path / "cache").describe(photographs, "all")
    assert len(list((tmp_path / "cache").iterdir())) == 3

    def fail(*args):
        raise AssertionError("described again")

    monkeypatch.setattr(features, "decode_all", fail)
    again = Extractor(small, tmp_path / "cache").describe(photographs, "all")
    np.testing.assert_array_equal(first.rows, again.rows)
    np.testing.assert_array_equal(first.labels, again.labels)


def test_the_heads_learn_to_tell_dogs_and_strangers(small):
    random = np.random.default_rng(1)
    labels = np.arange(400) % 2
    rows = random.normal(0, 1, (450, 1281)).astype(np.float32)
    rows[:400, 3] += 4 * labels
    rows[:, -1] += np.where(np.arange(450) < 400, 2, -2)  # evidence: the last 50 are strangers
    transfer.fit_heads(small, replace(RECIPE, decay=0.1), Described(rows[:400], labels), rows[400:])
    kernel, offset = small.get_layer("dog").get_weights()
    leans = (rows[:, :-1] @ kernel + offset)[:, 0]
    assert ((leans[:400] > 0) == labels).mean() > 0.95
    kernel, offset = small.get_layer("pet").get_weights()
    assert (kernel > 0).all()
    logits = (np.stack([rows[:, -1], np.abs(leans)], axis=1) @ kernel + offset)[:, 0]
    assert (logits[:400] > 0).mean() > 0.95
    assert (logits[400:] < 0).mean() > 0.8


def test_strangers_are_read_from_all_folders_below_and_have_no_class(tmp_path):
    draw_labelled_folder(tmp_path, 3)
    (tmp_path / "copy.bmp").write_bytes((tmp_path / "cats" / "0000.bmp").read_bytes())
    strangers = read_strangers(tmp_path)
    assert len(strangers) == 6
    assert {photograph.label for photograph in strangers} == {NEITHER}


@pytest.mark.slow
def test_a_folder_becomes_a_version_whose_float16_answers_are_those_of_the_network(tmp_path, monkeypatch):
    """The whole way, with weights drawn at random in place of the published ones, and the heads'."""
    monkeypatch.setattr(transfer, "fit_heads", lambda *args: None)  # on such features they would not be finite
    monkeypatch.setattr(transfer, "find_weights", lambda: b"drawn")
    monkeypatch.setattr(transfer, "read_tensors", lambda data: data)
    built = []
    monkeypatch.setattr(transfer, "carry_over", lambda tensors, model: built.append(model))
    data = draw_labelled_folder(tmp_path / "data", 600)
    recipe = replace(RECIPE, n_drawn=2)
    folders = (data, None, data / "cats", tmp_path / "out", tmp_path / "cache")
    made = transfer.make_transferred("efficientnet-lite0", recipe, *folders)
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
