"""Figures in plain Python are those of the arrays; McNemar's test by tables worked out elsewhere."""

from dataclasses import asdict

import numpy as np
import pytest

from core.base.network_catalog import CLASSES
from core.models import accuracy
from core.models.accuracy import LabelledPrediction, mcnemar, measure, roc_auc, wilson_interval
from model.arrays import metrics


def test_all_figures_are_those_that_a_manifest_would_have() -> None:
    random = np.random.default_rng(4)
    labels = random.integers(0, 2, 300)
    probabilities = np.round(random.dirichlet([1, 1, 0.3], 300)[:, :2], 2)
    said = [LabelledPrediction(CLASSES[label], row.tolist()) for label, row in zip(labels, probabilities, strict=True)]
    expected = asdict(metrics.evaluate(probabilities, labels, CLASSES, threshold=0.7))
    del expected["coverage"]
    measured = measure(said, threshold=0.7)
    assert measured.keys() == expected.keys()
    for name, value in expected.items():
        assert measured[name] == (value if isinstance(value, list | dict) else pytest.approx(value)), name


def test_pictures_of_neither_count_apart() -> None:
    said = [
        LabelledPrediction("cat", [0.9, 0.1]),
        LabelledPrediction("neither", [0.8, 0.1]),
        LabelledPrediction("neither", [0.3, 0.2]),
    ]
    measured = measure(said, threshold=0.75)
    assert (measured["n_images"], measured["n_neither"], measured["neither_unsure"]) == (1, 2, 0.5)


def test_nothing_judged_has_no_figures() -> None:
    assert measure([], threshold=0.5) == {"n_images": 0}


def test_one_class_alone_has_an_area_of_half() -> None:
    assert roc_auc([(0.3, True), (0.9, True)]) == 0.5


@pytest.mark.parametrize(("n_right", "n"), [(81, 263), (0, 20), (10, 10)])
def test_intervals_are_those_of_the_model_package(n_right: int, n: int) -> None:
    assert wilson_interval(n_right, n) == pytest.approx(metrics.wilson_interval(n_right, n))


@pytest.mark.parametrize(
    ("first", "second", "p_value"),
    # By hand: 2 * (C(10,0) + C(10,1) + C(10,2)) / 2**10, capped at 1; the last by a table: chi-squared 6.60.
    [(0, 0, 1.0), (8, 2, 112 / 1024), (2, 8, 112 / 1024), (5, 5, 1.0), (0, 6, 2 / 64), (645, 555, 0.0102)],
)
def test_mcnemar_agrees_with_values_worked_out_by_hand(first: int, second: int, p_value: float) -> None:
    assert mcnemar(first, second) == pytest.approx(p_value, rel=0.02)


def test_the_exact_test_and_the_approximation_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = mcnemar(460, 540)
    monkeypatch.setattr(accuracy, "LARGEST_EXACT", 0)
    assert mcnemar(460, 540) == pytest.approx(exact, rel=0.01)
