"""The shipped version is what its manifest says."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from core.images import decode_image
from core.networks import DEFAULT_NETWORK
from model.evaluate import judge
from tests.model.conftest import PRETRAINED

DATA = os.environ.get("PAWSORT_TEST_DATA")


def test_the_shipped_weights_are_those_of_the_manifest(shipped_manifest, shipped_weights):
    assert hashlib.sha256(shipped_weights).hexdigest() == shipped_manifest.digest
    assert shipped_manifest.network == DEFAULT_NETWORK


def test_the_shipped_manifest_is_written_as_the_code_writes_it(shipped_manifest):
    text = (PRETRAINED / f"{DEFAULT_NETWORK}.json").read_text(encoding="utf-8")
    assert shipped_manifest.to_json() == text


def test_the_shipped_files_are_small():
    assert sum(path.stat().st_size for path in PRETRAINED.iterdir()) < 5 * 2**20


def test_the_manifest_has_the_figures_of_all_parts(shipped_manifest):
    assert set(shipped_manifest.metrics) == {"validation", "judging", "test"}
    for figures in shipped_manifest.metrics.values():
        assert figures["accuracy_low"] < figures["accuracy"] < figures["accuracy_high"]
        assert figures["threshold"] == shipped_manifest.threshold
    assert shipped_manifest.metrics["test"]["accuracy"] >= 0.82


@pytest.mark.skipif(not DATA, reason="PAWSORT_TEST_DATA is not set: no photographs to measure on")
def test_the_test_figures_of_the_manifest_are_what_is_measured(shipped, shipped_manifest):
    assert DATA
    files = [(path, label) for label, name in enumerate(("cats", "dogs")) for path in photographs(Path(DATA), name)]
    images = np.stack([decode_image(path.read_bytes(), shipped.side_px) for path, _ in files])
    labels = np.array([label for _, label in files])
    figures = judge(shipped.predict(images), labels, shipped.classes, shipped_manifest.threshold)
    promised = shipped_manifest.metrics["test"]
    assert figures.n_images == promised["n_images"] == 1000
    assert figures.accuracy >= 0.82
    # Other processors round otherwise, which can move a picture or two across the line.
    assert figures.accuracy == pytest.approx(promised["accuracy"], abs=0.002)
    assert figures.log_loss == pytest.approx(promised["log_loss"], abs=0.002)
    assert figures.unsure == pytest.approx(promised["unsure"], abs=0.003)


def photographs(folder: Path, name: str) -> list[Path]:
    return sorted((folder / "dogs-vs-cats" / "val" / name).iterdir())
