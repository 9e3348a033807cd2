"""Which labels are probably wrong, and what more of them would bring."""

import numpy as np
import pytest

from model.arrays.logistic_regression import fit_logistic
from model.evaluation.label_quality import (
    SHARES,
    CurvePoint,
    choose_diverse,
    cross_validate,
    fit_curve,
    rank_suspects,
    share_unfamiliar,
)

DIRECTION = np.random.default_rng(7).normal(0, 1, 200)


def draw(n, seed, apart=0.45):
    """Features (n, 200) of two classes that overlap a little, as those of a good network do."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, n)
    rows = random.normal(0, 1, (n, 200)) + np.outer(labels * 2 - 1, DIRECTION) * apart / 2
    return rows.astype(np.float32), labels


def test_of_the_first_suspects_most_are_wrong():
    rows, labels = draw(5000, seed=1)
    is_flipped = np.zeros(5000, bool)
    is_flipped[np.random.default_rng(2).choice(5000, 250, replace=False)] = True
    given = np.where(is_flipped, 1 - labels, labels)
    suspects = rank_suspects(cross_validate(rows, given).p_second, given)
    assert is_flipped[suspects[:250]].mean() > 0.6


def test_without_a_wrong_label_few_are_suspected():
    rows, labels = draw(1000, seed=3, apart=1.0)
    assert len(rank_suspects(cross_validate(rows, labels).p_second, labels)) < 10


def test_the_order_is_that_of_the_label_quality_score_of_confident_learning():
    p_second = np.array([0.9, 0.2, 0.55, 0.01], np.float32)
    labels = np.array([0, 0, 0, 1])
    assert rank_suspects(p_second, labels).tolist() == [3, 0, 2]


def test_each_label_is_judged_by_heads_that_have_not_seen_it():
    random = np.random.default_rng(0)  # nothing to learn: whoever knew the answers would be right
    rows, labels = random.normal(0, 1, (200, 300)).astype(np.float32), np.arange(200) % 2
    said = cross_validate(rows, labels)
    assert abs(((said.p_second > 0.5) == labels).mean() - 0.5) < 0.12


def test_the_curve_has_a_point_for_each_share():
    rows, labels = draw(500, seed=4)
    points = cross_validate(rows, labels).points
    assert [point.n for point in points] == [round(share * 400) for share in SHARES]
    assert points[-1].accuracy > points[0].accuracy


def test_a_curve_of_the_usual_form_is_found_again():
    points = [CurvePoint(n, 1 - 0.02 - 0.8 * n**-0.5) for n in (100, 200, 300, 400)]
    curve = fit_curve(points)
    assert abs(curve.accuracy(800) - (1 - 0.02 - 0.8 * 800**-0.5)) < 0.002


def test_more_labels_are_never_said_to_do_harm():
    curve = fit_curve([CurvePoint(100, 0.97), CurvePoint(200, 0.96), CurvePoint(300, 0.95), CurvePoint(400, 0.94)])
    assert curve.accuracy(500) == pytest.approx(curve.accuracy(100))


def test_a_forecast_is_near_what_then_comes():
    off = []
    for seed in range(5):
        rows, labels = draw(5200, seed=100 + seed)
        test_rows, test_labels = rows[1200:], labels[1200:]
        curve = fit_curve(cross_validate(rows[:600], labels[:600], seed).points)
        kernel, offset = fit_logistic(rows[:1200], labels[:1200], 0.02)
        came = (((test_rows @ kernel + offset)[:, 0] > 0) == test_labels).mean()
        off.append(abs(curve.accuracy(1200) - came))
    assert np.mean(off) < 0.015, off


def test_chosen_pictures_are_unlike_each_other():
    random = np.random.default_rng(5)
    groups = np.repeat(random.normal(0, 1, (10, 50)), 20, axis=0)
    rows = groups + random.normal(0, 0.01, groups.shape)
    chosen = choose_diverse(rows, 10)
    assert chosen[0] == 0  # the most wanted one
    assert len({row // 20 for row in chosen.tolist()}) == 10
    assert len(choose_diverse(rows[:3], 10)) == 3
    assert len(choose_diverse(rows[:0], 10)) == 0


def test_pictures_of_another_kind_are_unlike_and_those_of_the_same_are_not():
    random = np.random.default_rng(9)
    known = random.normal(0, 1, (400, 20)) + 3
    same, other = random.normal(0, 1, (300, 20)) + 3, random.normal(0, 1, (300, 20)) - 3
    assert share_unfamiliar(same, known) < 0.12
    assert share_unfamiliar(other, known) > 0.95
