"""The steps after the training of a light network, with the shipped `seed-cnn` in both roles."""

from dataclasses import replace

import numpy as np
import pytest

from model.architectures.head_outputs import outputs_of
from model.artifacts.weights import unpack_weights
from model.evaluation.version_evaluation import Bounds
from model.training.examples import Examples
from pretraining.conversion import HeadsAndBody, write_converted
from pretraining.labelled_folders import NEITHER, Photograph
from pretraining.light import cascade
from pretraining.light.distillation import is_for_training
from pretraining.light.heads import fit_light_heads
from pretraining.recipes import RECIPES, CascadeRecipe
from pretraining.shipped import open_shipped, read_shipped
from tests.model.conftest import PRETRAINED, draw_images

N = 60


@pytest.fixture(scope="module")
def parts():
    teacher, shipped = open_shipped("seed-cnn", PRETRAINED), read_shipped("seed-cnn", PRETRAINED)
    images = draw_images(N, 64)
    p_dog = teacher.predict(images)[:, 1]
    labels = (p_dog > 0.5).astype(np.int64)
    labels[np.argsort(np.abs(p_dog - 0.5))[:6]] ^= 1  # wrong where it is least sure
    student = HeadsAndBody(replace(teacher.manifest, half_precision=None), shipped.weights, shipped.body)
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


def test_new_heads_of_a_light_network_learn_the_answers_of_another_teacher():
    network, random = "efficientnet-lite0-fast", np.random.default_rng(3)
    old = unpack_weights(read_shipped(network, PRETRAINED).weights)
    features = random.uniform(0, 1, (300, 1280)).astype(np.float32)
    swapped = outputs_of(network, old, features)[:, [1, 0, 2]].astype(np.float64)
    swapped[:, :2] += 1e-3  # features of no picture: most are of neither, but each leans to one side
    before, after = (
        outputs_of(network, heads, features) for heads in (old, fit_light_heads(network, old, features, swapped, 1e-4))
    )
    assert np.abs(after - swapped).mean() < 0.5 * np.abs(before - swapped).mean()


def test_a_body_that_is_there_already_is_not_written_again(tmp_path):
    body = read_shipped("seed-cnn", PRETRAINED).body
    for network in ("first", "second"):
        write_converted(body, network, tmp_path)
    assert sorted(path.name for path in (tmp_path / "converted").iterdir()) == [
        "first.json",
        "first.tflite",
        "second.json",
    ]
