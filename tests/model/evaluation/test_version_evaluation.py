"""From trained weights to a complete manifest."""

from dataclasses import replace

import numpy as np
import pytest

from model.evaluation.version_evaluation import Bounds, EvaluationImages, ThresholdRule, complete_manifest
from model.inference.classifier import Classifier
from model.training.examples import Examples
from tests.model.conftest import draw_images

BOUNDS = Bounds(max_wrong=0.1, max_unsure=0.9, max_taken=0.25)


@pytest.fixture(scope="module")
def watched():
    labels = np.arange(40) % 2
    return {
        "validation": Examples(draw_images(40, 64, seed=1), labels),
        "judging": Examples(draw_images(20, 64, seed=2), labels[:20]),
    }


@pytest.fixture(scope="module")
def completed(shipped_manifest, shipped_weights, watched):
    plain = replace(shipped_manifest, calibration={"temperature": 9.0}, threshold=0.1, metrics={})
    return complete_manifest(
        plain, shipped_weights, EvaluationImages(watched, draw_images(30, 64, seed=3)), ThresholdRule(BOUNDS)
    )


def test_the_figures_are_those_of_what_the_product_answers(completed, shipped_weights, watched):
    said = Classifier(completed, shipped_weights).predict(watched["judging"].images)
    figures = completed.metrics["judging"]
    assert figures["n_images"] == 20
    assert figures["accuracy"] == pytest.approx((said.argmax(axis=1) == watched["judging"].labels).mean())
    assert figures["unsure"] == pytest.approx((said.max(axis=1) < completed.threshold).mean())
    assert figures["threshold"] == completed.threshold


def test_the_curve_passes_through_the_figures_at_each_threshold(completed, shipped_weights, watched):
    said = Classifier(completed, shipped_weights).predict(watched["judging"].images)
    curve = completed.metrics["judging"]["coverage"]
    shares = [(said.max(axis=1) >= threshold).mean() for threshold in curve["threshold"]]
    assert curve["labelled"] == pytest.approx(shares)


def test_strangers_are_counted_at_the_threshold_and_at_all_others(completed, shipped_weights):
    confidence = Classifier(completed, shipped_weights).predict(draw_images(30, 64, seed=3)).max(axis=1)
    strangers = completed.metrics["strangers"]
    assert strangers["unsure"] == pytest.approx((confidence < completed.threshold).mean())
    taken = [(confidence >= threshold).mean() for threshold in strangers["coverage"]["threshold"]]
    assert strangers["coverage"]["labelled"] == pytest.approx(taken, abs=1e-6)


def test_speed_size_and_bounds_are_kept(completed, shipped_weights):
    assert completed.n_bytes == len(shipped_weights)
    assert completed.bounds == {"max_wrong": 0.1, "max_unsure": 0.9, "max_taken": 0.25}
    assert completed.speed["n_images"] == 60
    assert completed.speed["images_per_s"] > 0
    assert completed.speed["device"] == "cpu"
    assert completed.speed["threads"] >= 1
