import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from core.base.errors import Invalid
from model.artifacts.manifest import Manifest
from model.inference.classifier import Classifier
from model.training.augmentation import SEED
from model.training.recipe import Recipe
from pretraining import __main__
from pretraining.labelled_folders import Folders, decode_all, digest_contents, read_folder
from pretraining.recipes import RECIPES

QUICK = replace(
    RECIPES["seed-cnn"], recipe=Recipe(epochs=1, batch_size=256, warmup_epochs=0, augmentation=SEED), source_px=64
)


def draw_labelled_folder(folder: Path, n_of_each: int) -> Path:
    """Warm pictures are cats, cold ones dogs; no two are alike."""
    random = np.random.default_rng(2)
    for name, strong in (("cats", 0), ("dogs", 2)):
        (folder / name).mkdir(parents=True)
        for index in range(n_of_each):
            pixels = random.integers(0, 120, (8, 8, 3), dtype=np.uint8)
            pixels[:, :, strong] += 100
            Image.fromarray(pixels).save(folder / name / f"{index:04}.bmp")
    return folder


@pytest.mark.slow
def test_a_folder_becomes_weights_and_a_manifest_that_fit_each_other(tmp_path):
    data = draw_labelled_folder(tmp_path / "data", 600)
    test = draw_labelled_folder(tmp_path / "test", 20)
    made = __main__.make_from_scratch("seed-cnn", QUICK, Folders([data], tmp_path / "out", tmp_path / "cache", test))

    manifest = Manifest.from_json((tmp_path / "out" / "seed-cnn.json").read_text())
    assert manifest == made
    assert manifest.data["n_images"] == {"cat": 600, "dog": 600}
    assert sum(manifest.split[part] for part in ("training", "validation", "judging")) == 1200
    assert manifest.metrics["test"]["n_images"] == 40
    assert manifest.metrics["validation"]["threshold"] == manifest.threshold
    classifier = Classifier(manifest, (tmp_path / "out" / "seed-cnn.npz").read_bytes())
    images, labels, _ = decode_all(read_folder(test), 64)
    measured = (classifier.predict(images).argmax(axis=1) == labels).mean()
    assert measured == manifest.metrics["test"]["accuracy"]

    # The state of the last epoch is kept: once more trains nothing and makes the same weights.
    again = __main__.make_from_scratch("seed-cnn", QUICK, Folders([data], tmp_path / "again", tmp_path / "cache", test))
    assert again.digest == made.digest


def test_a_photograph_belongs_to_the_part_that_its_content_says(tmp_path):
    photographs = read_folder(draw_labelled_folder(tmp_path, 50))
    for photograph in photographs:
        digit = int(hashlib.sha256(photograph.data).hexdigest()[:16], 16) % 10
        assert photograph.split == ["training", "validation", "judging"][max(0, digit - 7)]
    assert {photograph.split for photograph in photographs} == {"training", "validation", "judging"}


def test_equal_contents_count_once(tmp_path):
    folder = draw_labelled_folder(tmp_path, 3)
    (folder / "cats" / "copy.bmp").write_bytes((folder / "cats" / "0000.bmp").read_bytes())
    assert len(read_folder(folder)) == 6


def test_the_digest_of_the_data_ignores_names_but_not_labels(tmp_path):
    folder = draw_labelled_folder(tmp_path, 3)
    before = digest_contents(read_folder(folder))
    (folder / "cats" / "0000.bmp").rename(folder / "cats" / "renamed.bmp")
    assert digest_contents(read_folder(folder)) == before
    (folder / "cats" / "renamed.bmp").rename(folder / "dogs" / "moved.bmp")
    assert digest_contents(read_folder(folder)) != before


def test_an_unreadable_file_is_left_out_and_counted(tmp_path):
    folder = draw_labelled_folder(tmp_path, 3)
    (folder / "dogs" / "broken.bmp").write_bytes(b"no picture")
    images, labels, n_unreadable = decode_all(read_folder(folder), 16)
    assert images.shape == (6, 16, 16, 3)
    assert labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert n_unreadable == 1


def test_a_folder_of_unreadable_files_is_refused(tmp_path):
    for name in ("cats", "dogs"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.jpg").write_bytes(name.encode())
    with pytest.raises(Invalid, match="none of 2 files"):
        decode_all(read_folder(tmp_path), 16)


def test_a_folder_without_one_of_the_classes_is_refused(tmp_path):
    draw_labelled_folder(tmp_path, 2)
    for path in (tmp_path / "dogs").iterdir():
        path.unlink()
    with pytest.raises(Invalid, match="dogs has none"):
        read_folder(tmp_path)


def test_a_folder_that_is_too_small_is_refused_before_the_training(tmp_path):
    data = str(draw_labelled_folder(tmp_path / "data", 30))
    result = CliRunner().invoke(__main__.main, ["pretrained", "--data", data, "--out", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert "expected at least 100 photographs in each split" in result.output
    assert not (tmp_path / "out").exists()
