"""The light network answers where it is sure, the accurate one for the rest."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from model.artifacts.manifest import Cascade
from model.inference.cascade import ask_teacher, enlarge
from model.inference.classifier import Classifier
from model.inference.predictions import Predictions
from tests.model.conftest import draw_images
from tests.model.inference.test_litert_engine import load, read_converted

CONFIDENCES = np.array([0.99, 0.4, 0.9, 0.89, 0.95], np.float32)
IMAGES = np.arange(5 * 4 * 4 * 3, dtype=np.uint8).reshape(5, 4, 4, 3)


def make_own() -> Predictions:
    probabilities = np.stack([CONFIDENCES, 1 - CONFIDENCES], axis=1)
    evidence = np.arange(5 * 4, dtype=np.float32).reshape(5, 2, 2)
    return Predictions(probabilities, np.ones((5, 3), np.float16), evidence)


class Teacher:
    """Answers 0.2 more for each image it has seen, and notes the images."""

    def __init__(self) -> None:
        self.seen: list[NDArray[np.uint8]] = []

    def __call__(self, images: NDArray[np.uint8]) -> Predictions:
        self.seen += list(images)
        p_dog = 0.2 * np.arange(1, len(images) + 1, dtype=np.float32)
        evidence = np.full((len(images), 3, 3), -1, np.float32)
        return Predictions(np.stack([1 - p_dog, p_dog], axis=1), np.zeros((len(images), 3), np.float16), evidence)


def test_the_teacher_answers_for_each_image_below_the_limit_once_and_for_no_other() -> None:
    teacher = Teacher()
    both = ask_teacher(make_own(), IMAGES, 0.9, teacher)
    np.testing.assert_array_equal(teacher.seen, IMAGES[[1, 3]])
    np.testing.assert_allclose(both.probabilities[:, 1], [0.01, 0.2, 0.1, 0.4, 0.05], atol=1e-6)
    assert both.by_teacher is not None
    assert both.by_teacher.tolist() == [False, True, False, True, False]


def test_features_stay_those_of_the_light_network() -> None:
    assert (ask_teacher(make_own(), IMAGES, 0.9, Teacher()).features == 1).all()


def test_evidence_of_both_comes_in_the_grid_of_the_teacher() -> None:
    both = ask_teacher(make_own(), IMAGES, 0.9, Teacher()).evidence
    assert both is not None
    assert both.shape == (5, 3, 3)
    assert (both[1] == -1).all()
    assert both[0].tolist() == [[0, 1, 1], [2, 3, 3], [2, 3, 3]]


def test_the_grid_is_that_of_the_teacher_if_it_answers_for_no_image() -> None:
    both = ask_teacher(make_own(), IMAGES, 0.0, Teacher()).evidence
    assert both is not None
    assert both.shape == (5, 3, 3)


def test_a_coarser_grid_is_enlarged_cell_by_cell() -> None:
    assert enlarge(np.arange(4, dtype=np.float32).reshape(1, 2, 2), 4)[0, 0].tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(("limit", "n_asked"), [(0.0, 0), (1.0, 5)])
def test_the_limit_decides_who_answers(limit: float, n_asked: int) -> None:
    teacher = Teacher()
    both = ask_teacher(make_own(), IMAGES, limit, teacher)
    assert len(teacher.seen) == n_asked
    assert both.by_teacher is not None
    assert both.by_teacher.sum() == n_asked


@pytest.mark.parametrize("n", [0, 40])
def test_a_light_version_gives_its_own_answers_or_those_of_its_teacher(shipped: Classifier, n: int) -> None:
    """Both are `seed-cnn` here, calibrated differently, in batches of 16."""
    light, images = load("seed-cnn"), draw_images(40, 64)[:n]
    teacher = Classifier(
        replace(light.manifest, calibration={"temperature": 4.0}), read_weights(), converted=read_converted("seed-cnn")
    )
    own, of_teacher = light.predict(images), teacher.predict(images)
    limit = float(np.median(own.max(axis=1))) if n else 0.5
    manifest = replace(light.manifest, cascade=Cascade(teacher=teacher.manifest.digest, limit=limit))
    cascade = Classifier(manifest, read_weights(), converted=read_converted("seed-cnn"), teacher=teacher)
    cascade.warm_up()
    predictions = cascade.predict_with_features(images)
    expected = np.where(own.max(axis=1, keepdims=True, initial=0) < limit, of_teacher, own)
    np.testing.assert_allclose(predictions.probabilities, expected, atol=1e-6)
    assert cascade.name_networks(predictions) == ["seed-cnn"] * n
    assert (cascade.body, cascade.weights_body) == (light.body, light.weights_body)


def read_weights() -> bytes:
    from tests.model.conftest import PRETRAINED

    return (PRETRAINED / "seed-cnn.npz").read_bytes()
