import numpy as np
import pytest

from model.arrays.logistic_regression import fit_logistic


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def draw_rows(n=4000, kernel=(1.5, -0.8, 0.0), offset=0.4, seed=1):
    random = np.random.default_rng(seed)
    rows = (random.normal(0, 1, (n, 3)) * (1, 5, 0.2) + (0, 20, 3)).astype(np.float32)
    logits = (rows - (0, 20, 3)) / (1, 5, 0.2) @ kernel + offset
    return rows, (random.random(n) < sigmoid(logits)).astype(int), logits


def test_the_weights_that_the_labels_were_drawn_with_are_found():
    rows, labels, logits = draw_rows(40_000)
    kernel, offset = fit_logistic(rows, labels, decay=1e-6)
    assert kernel.shape == (3, 1)
    assert offset.shape == (1,)
    assert np.abs((rows @ kernel + offset)[:, 0] - logits).max() < 0.2


def test_at_the_minimum_the_gradient_by_hand_is_zero():
    rows, labels, _ = draw_rows()
    decay = 0.05
    kernel, offset = fit_logistic(rows, labels, decay)
    error = sigmoid((rows.astype(np.float64) @ kernel + offset)[:, 0]) - labels
    scaled = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    gradient = scaled.T @ error / len(rows) + decay * kernel[:, 0] * rows.std(axis=0)
    np.testing.assert_allclose(gradient, 0, atol=1e-4)
    assert error.mean() == pytest.approx(0, abs=1e-4)


def test_a_row_that_counts_twice_is_as_good_as_two_rows():
    rows, labels, _ = draw_rows(300)
    twice = np.concatenate([rows, rows[:100]]), np.concatenate([labels, labels[:100]])
    # Scaling follows the rows, not their counts: without decay it makes no difference.
    expected = fit_logistic(*twice, decay=1e-8)
    counts = np.where(np.arange(300) < 100, 2, 1)
    found = fit_logistic(rows, labels, decay=1e-8, weights=counts)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-3, atol=1e-3)


def test_decay_makes_the_weights_smaller():
    rows, labels, _ = draw_rows()
    sizes = [np.abs(fit_logistic(rows, labels, decay)[0]).sum() for decay in (1e-6, 0.1, 10)]
    assert sizes[0] > sizes[1] > sizes[2]


def test_a_column_that_never_changes_does_no_harm():
    rows, labels, _ = draw_rows()
    with_constant = np.concatenate([rows, np.full((len(rows), 1), 7, np.float32)], axis=1)
    kernel, _ = fit_logistic(with_constant, labels, decay=1e-3)
    assert np.isfinite(kernel).all()
    np.testing.assert_allclose(kernel[:3], fit_logistic(rows, labels, decay=1e-3)[0], rtol=1e-3)


def test_labels_that_can_be_told_perfectly_need_decay():
    rows = np.linspace(-1, 1, 100, dtype=np.float32)[:, None]
    labels = (rows[:, 0] > 0).astype(int)
    with pytest.raises(ValueError, match="Raise decay"):
        fit_logistic(rows, labels, decay=0)
    kernel, _ = fit_logistic(rows, labels, decay=1e-3)
    assert kernel[0, 0] > 0
