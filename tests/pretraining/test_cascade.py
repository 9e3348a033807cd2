"""The steps after the training of a light network, with the shipped `seed-cnn` in both roles."""

from dataclasses import replace

import numpy as np
import pytest

from model.evaluation.version_evaluation import Bounds
from model.training.examples import Examples
from pretraining import cascade
from pretraining.cascade import Student
from pretraining.distillation import is_for_training, open_shipped
from pretraining.labelled_folders import NEITHER, Photograph
from pretraining.recipes import RECIPES, CascadeRecipe
from tests.model.conftest import PRETRAINED, draw_images
from tests.model.inference.test_litert_engine import read_converted

N = 60


@pytest.fixture(scope="module")
def parts():
    weights, teacher = open_shipped("seed-cnn", PRETRAINED)
    images = draw_images(N, 64)
    p_dog = teacher.predict(images)[:, 1]
    labels = (p_dog > 0.5).astype(np.int64)
    labels[np.argsort(np.abs(p_dog - 0.5))[:6]] ^= 1  # wrong where it is least sure
    student = Student(replace(teacher.manifest, half_precision=None), weights, read_converted("seed-cnn"))
    return student, teacher, {"validation": Examples(images, labels)}


def test_the_limit_is_the_lowest_that_keeps_its_bounds_and_metrics_are_those_of_both(parts):
    student, teacher, splits = parts
    recipe = RECIPES["efficientnet-lite0-fast"]
    assert isinstance(recipe, CascadeRecipe)
    recipe = replace(recipe, limit=Bounds(0.0, 1.0), threshold=Bounds(1.0, 1.0))
    made = cascade.complete(student, teacher, recipe, splits, draw_images(5, 64, seed=4))
    assert made.cascade is not None
    assert made.cascade["teacher"] == teacher.manifest.digest
    own = replace(teacher.manifest, calibration=made.calibration)
    confidence = teacher.__class__(own, student.weights, converted=student.body).predict(splits["validation"].images)
    wrong = confidence.argmax(axis=1) != splits["validation"].labels
    highest_wrong = float(confidence.max(axis=1)[wrong].max())
    assert made.cascade["limit"] == pytest.approx(highest_wrong, abs=0.0011)
    assert made.metrics["validation"]["accuracy"] == pytest.approx(1 - wrong.mean())
    assert made.metrics["strangers"]["n_images"] == 5


def test_half_of_the_photographs_of_neither_train_chosen_by_their_content():
    negatives = [Photograph(b"", NEITHER, bytes([*range(31), last])) for last in range(256)]
    assert sum(map(is_for_training, negatives)) == 128
