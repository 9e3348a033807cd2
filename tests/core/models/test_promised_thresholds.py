"""The threshold that keeps a promise, by the curve of the validation split."""

from math import comb
from typing import Any

import pytest

from core.base.errors import Invalid
from core.models.promised_thresholds import clopper_pearson, list_promised, promise
from core.orm.models import ModelVersion

CURVE = {"threshold": [0.0, 0.5, 0.9, 0.99, 0.999], "labelled": [1.0, 0.9, 0.7, 0.5, 0.0]}
WRONG = [0.05, 0.01, 0.002, 0.0, 0.0]


def make_version(n_images: int = 1000, **validation: Any) -> ModelVersion:
    metrics = {"validation": {"n_images": n_images, "coverage": CURVE | {"wrong": WRONG}} | validation}
    return ModelVersion(id=7, network="seed-cnn", digest="d", manifest={"metrics": metrics})


def share_at_most(k: int, n: int, p: float) -> float:
    return sum(comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k + 1))


@pytest.mark.parametrize(("n_wrong", "n"), [(1, 10), (7, 500), (40, 900)])
def test_so_few_or_so_many_wrong_ones_are_rare_at_the_ends_of_the_interval(n_wrong: int, n: int) -> None:
    low, high = clopper_pearson(n_wrong, n)
    assert share_at_most(n_wrong, n, high) == pytest.approx(0.025)
    assert 1 - share_at_most(n_wrong - 1, n, low) == pytest.approx(0.025)


def test_the_interval_of_nothing_and_of_everything_ends_there() -> None:
    assert clopper_pearson(0, 10) == pytest.approx((0, 1 - 0.025**0.1))
    assert clopper_pearson(10, 10) == pytest.approx((0.025**0.1, 1))


def test_the_lowest_threshold_whose_whole_interval_keeps_the_promise_is_found() -> None:
    found = promise(make_version(), 0.02)
    # At 0.5, 10 of 900 labels are wrong, at most 2.04 %; at 0.9, 2 of 700.
    assert (found.threshold, found.n_labelled, found.n_wrong) == (0.9, 700, 2)
    assert (found.coverage, found.error) == (0.7, 2 / 700)
    assert found.error_low < found.error < found.error_high <= 0.02


def test_a_promise_that_no_threshold_keeps_is_refused_with_what_can_be_promised() -> None:
    with pytest.raises(
        Invalid, match=r"Version 7 cannot promise .* 0.1 % .* at best at most 0.74 %, at the threshold 0.99"
    ):
        promise(make_version(), 0.001)


def test_few_pictures_promise_little() -> None:
    assert [found.max_error for found in list_promised(make_version(1000))] == [0.01, 0.02, 0.05]
    assert list_promised(make_version(20)) == []


def test_a_version_without_a_curve_promises_nothing() -> None:
    with pytest.raises(Invalid, match="were not recorded"):
        promise(make_version(coverage=None), 0.05)
