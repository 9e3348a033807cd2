import numpy as np
import pytest

from model.arrays.calibration import calibrate, choose_threshold, fit_temperature


def test_temperature_one_changes_nothing():
    p_dog = np.array([[0.0], [0.25], [0.5], [1.0]], np.float32)
    np.testing.assert_allclose(calibrate(p_dog, 1.0), np.concatenate([1 - p_dog, p_dog], axis=1), atol=1e-6)
    p_all = np.array([[0.2, 0.7, 0.1], [0.0, 0.0, 1.0]], np.float32)
    np.testing.assert_allclose(calibrate(p_all, 1.0), p_all[:, :2], atol=1e-6)


def test_a_temperature_divides_the_logit():
    logit = np.array([-3.0, 0.5, 2.0])
    expected = 1 / (1 + np.exp(-logit / 2.5))
    p_cat, p_dog = calibrate(1 / (1 + np.exp(-logit[:, None])), 2.5).T
    np.testing.assert_allclose(p_dog, expected, atol=1e-6)
    np.testing.assert_allclose(p_cat, 1 - expected, atol=1e-6)


def test_a_temperature_divides_the_logits_of_both_classes_and_neither():
    logits = np.array([[2.0, -1.0, 0.5], [0.0, 0.0, 3.0]])

    def softmax(values):
        return np.exp(values) / np.exp(values).sum(axis=1, keepdims=True)

    np.testing.assert_allclose(calibrate(softmax(logits), 2.5), softmax(logits / 2.5)[:, :2], atol=1e-6)


def test_calibrated_probabilities_are_float32_and_sum_to_one():
    probabilities = calibrate(np.linspace(0, 1, 101, dtype=np.float32)[:, None], 0.7)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    assert (probabilities >= 0).all()


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_a_temperature_that_is_not_positive_is_refused(temperature):
    with pytest.raises(ValueError, match="expected a temperature above 0"):
        calibrate(np.array([[0.5]]), temperature)


@pytest.mark.parametrize("shape", [(4,), (4, 2), (4, 4)])
def test_outputs_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"expected outputs \(N, 1\) or \(N, 3\)"):
        calibrate(np.full(shape, 0.25), 1.0)


@pytest.mark.parametrize("true_temperature", [0.5, 1.0, 2.0])
def test_the_fitted_temperature_is_the_one_that_the_labels_were_drawn_with(true_temperature):
    random = np.random.default_rng(1)
    logits = random.normal(0, 3, (20_000, 1))
    labels = (random.random(20_000) < 1 / (1 + np.exp(-logits[:, 0] / true_temperature))).astype(int)
    assert fit_temperature(1 / (1 + np.exp(-logits)), labels) == pytest.approx(true_temperature, rel=0.05)


# Ten pictures called cat with rising confidence; the first three are dogs.
CONFIDENCES = np.linspace(0.525, 0.975, 10)
PROBABILITIES = np.stack([CONFIDENCES, 1 - CONFIDENCES], axis=1)
LABELS = np.array([1, 1, 1, 0, 0, 0, 0, 0, 0, 0])


def test_the_threshold_is_the_lowest_at_which_few_are_wrong():
    # Confidences 0.525, 0.575, 0.625 are wrong; at most 10 % wrong: the first two have to go.
    assert choose_threshold(PROBABILITIES, LABELS, max_wrong=0.1, max_unsure=0.5) == 0.576


def test_the_threshold_stops_where_too_many_would_be_unsure():
    assert choose_threshold(PROBABILITIES, LABELS, max_wrong=0.0, max_unsure=0.2) == 0.625


def test_without_errors_everything_is_labelled():
    assert choose_threshold(PROBABILITIES, np.zeros(10, int), max_wrong=0.0, max_unsure=0.2) == 0.0


def test_the_threshold_rises_until_strangers_are_turned_away():
    strangers = np.array([[0.3, 0.2], [0.1, 0.7], [0.15, 0.75], [0.2, 0.4]])
    for max_taken, expected in ((1.0, 0.0), (0.5, 0.401), (0.25, 0.701), (0.0, 0.751)):
        chosen = choose_threshold(
            PROBABILITIES, np.zeros(10, int), max_wrong=1, max_unsure=0.9, negatives=strangers, max_taken=max_taken
        )
        assert chosen == expected


def test_strangers_do_not_raise_the_threshold_beyond_what_may_be_unsure():
    chosen = choose_threshold(
        PROBABILITIES, LABELS, max_wrong=1, max_unsure=0.2, negatives=np.array([[0.0, 0.99]]), max_taken=0
    )
    assert chosen == 0.625


def test_a_threshold_that_is_known_is_kept_unless_too_many_would_be_unsure():
    for max_unsure, expected in ((1.0, 0.861), (0.2, 0.625)):
        chosen = choose_threshold(PROBABILITIES, np.zeros(10, int), max_wrong=1, max_unsure=max_unsure, at_least=0.861)
        assert chosen == expected
