import numpy as np
import pytest

from model.arrays import metrics

# Four pictures, of which the third is called wrongly.
PROBABILITIES = np.array([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7], [0.2, 0.8]], np.float32)
LABELS = np.array([0, 0, 0, 1])


def test_accuracy_is_the_share_of_right_ones():
    assert metrics.accuracy(PROBABILITIES, LABELS) == 0.75


def test_log_loss_is_the_mean_of_minus_log_p():
    expected = -(np.log(0.9) + np.log(0.6) + np.log(0.3) + np.log(0.8)) / 4
    assert metrics.log_loss(PROBABILITIES, LABELS) == pytest.approx(expected, abs=1e-6)


def test_log_loss_of_a_certain_error_is_finite():
    assert metrics.log_loss(np.array([[1.0, 0.0]]), np.array([1])) == pytest.approx(-np.log(1e-7))


@pytest.mark.parametrize(
    ("n_right", "n", "low", "high"),
    # The first three are worked examples of Newcombe 1998, Statistics in Medicine 17, 857-872, table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (10, 10, 0.7225, 1.0)],
)
def test_wilson_interval_agrees_with_published_values(n_right, n, low, high):
    assert metrics.wilson_interval(n_right, n) == pytest.approx((low, high), abs=5e-5)


def test_roc_auc_counts_pairs_in_order_and_ties_as_half():
    scores = np.array([0.1, 0.4, 0.4, 0.8])
    positive = np.array([False, False, True, True])
    # Pairs (negative, positive): 0.1<0.4, 0.1<0.8, 0.4=0.4, 0.4<0.8.
    assert metrics.roc_auc(scores, positive) == pytest.approx(3.5 / 4)


def test_roc_auc_is_the_share_of_ordered_pairs_on_random_scores():
    random = np.random.default_rng(5)
    scores, positive = random.integers(0, 20, 200) / 20, random.random(200) < 0.3
    above = scores[positive][:, None] - scores[~positive][None, :]
    assert metrics.roc_auc(scores, positive) == pytest.approx(((above > 0) + 0.5 * (above == 0)).mean())


def test_roc_auc_without_negatives_is_half():
    assert metrics.roc_auc(np.array([0.2, 0.9]), np.array([True, True])) == 0.5


def test_calibration_error_is_the_weighted_gap_of_the_bins():
    # Two bins, (0, 0.5] and (0.5, 1]: all four confidences (0.9, 0.6, 0.7, 0.8) are in the upper, three are right.
    assert metrics.calibration_error(PROBABILITIES, LABELS, n_bins=2) == pytest.approx(0, abs=1e-6)
    # Seven bins: 0.9 and 0.8 alone, 0.6 (right) and 0.7 (wrong) share one.
    gaps = abs(1 - 0.9) + abs(1 - 0.8) + abs((1 + 0) - (0.6 + 0.7))
    assert metrics.calibration_error(PROBABILITIES, LABELS, n_bins=7) == pytest.approx(gaps / 4, abs=1e-6)


def test_confusion_has_truth_in_rows_and_calls_in_columns():
    counts = metrics.confusion(LABELS, PROBABILITIES.argmax(axis=1), 2)
    assert counts.tolist() == [[2, 1], [0, 1]]


def test_precision_and_recall_come_from_the_confusion():
    cat, dog = metrics.class_metrics(np.array([[2, 1], [0, 1]]))
    assert (cat.precision, cat.recall) == (1.0, pytest.approx(2 / 3))
    assert (dog.precision, dog.recall) == (0.5, 1.0)


def test_a_class_that_never_occurs_has_zeros():
    cat, dog = metrics.class_metrics(np.array([[3, 0], [0, 0]]))
    assert (cat.precision, cat.recall) == (1.0, 1.0)
    assert (dog.precision, dog.recall) == (0.0, 0.0)


@pytest.mark.parametrize(("threshold", "wrong", "unsure"), [(0.0, 0.25, 0.0), (0.65, 0.25, 0.25), (0.75, 0.0, 0.5)])
def test_wrong_and_unsure_follow_the_threshold(threshold, wrong, unsure):
    assert metrics.wrong_and_unsure(PROBABILITIES, LABELS, threshold) == (wrong, unsure)


def test_a_confidence_at_the_threshold_is_labelled():
    assert metrics.wrong_and_unsure(np.array([[0.5, 0.5]]), np.array([0]), 0.5) == (0.0, 0.0)


def test_judge_gathers_all_figures():
    figures = metrics.evaluate(PROBABILITIES, LABELS, ("cat", "dog"), 0.65)
    assert (figures.n_images, figures.accuracy, figures.wrong, figures.unsure) == (4, 0.75, 0.25, 0.25)
    assert figures.accuracy_low < 0.75 < figures.accuracy_high
    assert figures.roc_auc == 1.0
    assert figures.confusion == [[2, 1], [0, 1]]
    assert figures.by_class["dog"].precision == 0.5


@pytest.mark.parametrize("shape", [(4, 3), (3, 2)])
def test_judge_refuses_arrays_that_do_not_fit(shape):
    with pytest.raises(ValueError, match=r"expected probabilities \(4, 2\)"):
        metrics.evaluate(np.zeros(shape), LABELS, ("cat", "dog"), 0.5)


def test_errors_against_coverage_are_counted_at_every_threshold():
    curve = metrics.coverage(PROBABILITIES, LABELS)
    assert curve["threshold"][0] == 0
    assert curve["threshold"][-1] == 1
    assert curve["threshold"] == sorted(set(curve["threshold"]))
    at = dict(zip(curve["threshold"], zip(curve["labelled"], curve["wrong"], strict=True), strict=True))
    # Confidences are 0.9, 0.6, 0.7 (wrong) and 0.8.
    assert [at[t] for t in (0, 0.65, 0.75, 0.875, 0.95)] == [(1, 0.25), (0.75, 0.25), (0.5, 0), (0.25, 0), (0, 0)]
