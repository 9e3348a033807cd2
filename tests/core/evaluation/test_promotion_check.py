"""A version next to the one in use, before it replaces it."""

import pytest

from core.base.database import Database
from core.base.states import LabelSource
from core.evaluation import predictions
from core.evaluation.promotion_check import PromotionCheck, check_promotion
from core.evaluation.promotion_gate import MIN_PICTURES
from core.evaluation.version_comparison import PairCounts, count_pairs
from core.models import registry
from core.storage.blobs import Blobs
from tests.support.evaluated_versions import judge, make_judged, right, wrong_at_first
from tests.support.factories import make_version
from tests.support.labelled_contents import make_pets, say_all


@pytest.fixture
def in_use(db: Database) -> int:
    """Version 1, in use."""
    version = make_version(db, "seed-cnn", weights=b"first")
    with db.write() as session:
        registry.promote(session, version)
    return version


def check(counts: PairCounts, n_unbiased: int | None = None) -> PromotionCheck:
    return PromotionCheck(2, 1, counts, counts.n_images if n_unbiased is None else n_unbiased)


def read_check(db: Database, version: int) -> PromotionCheck:
    with db.read() as session:
        return check_promotion(session, registry.get_version(session, version))


def test_a_better_version_on_enough_pictures_has_no_warning() -> None:
    better = check(PairCounts(both_right=180, only_first=2, only_second=30, both_wrong=8))
    assert (better.is_better, better.is_worse, better.warning) == (True, False, None)
    assert better.summary == (
        "Version 2 is right on 95.5 % of the 220 test pictures that both were evaluated on; version 1, in use, on"
        " 82.7 %."
    )


def test_a_worse_version_says_so() -> None:
    worse = check(PairCounts(both_right=180, only_first=30, only_second=2, both_wrong=8))
    assert (worse.is_better, worse.is_worse) == (False, True)
    assert worse.warning is not None
    assert worse.warning.endswith("version 1, in use, on 95.5 %. It is worse on these pictures.")


def test_an_equal_version_is_neither_better_nor_warned_about() -> None:
    equal = check(PairCounts(both_right=MIN_PICTURES, only_first=1, only_second=1))
    assert (equal.is_better, equal.is_worse, equal.warning) == (False, False, None)
    assert "are each right on 99.5 % of the 202 test pictures" in equal.summary


def test_a_difference_that_may_be_chance_is_no_better() -> None:
    assert not check(PairCounts(both_right=MIN_PICTURES, only_first=1, only_second=3)).is_better


@pytest.mark.parametrize(
    ("counts", "n_unbiased", "reason"),
    [
        (PairCounts(only_second=33), 33, "At least 200 pictures are needed"),
        (PairCounts(only_second=300), 20, "20 of these pictures were labelled without sight of a prediction"),
        (PairCounts(), 0, "were not evaluated on the same pictures"),
        (PairCounts(both_right=1), 1, "each right on 100.0 % of the only test picture of both"),
    ],
)
def test_few_pictures_are_a_reason_to_ask(counts: PairCounts, n_unbiased: int, reason: str) -> None:
    few = check(counts, n_unbiased)
    assert not few.is_better
    assert few.warning is not None
    assert reason in few.warning


def test_the_version_in_use_needs_no_check(db: Database, in_use: int) -> None:
    same = read_check(db, in_use)
    assert (same.in_use, same.summary, same.warning) == (None, "", None)


def test_both_are_counted_on_the_pictures_of_both_with_the_same_label(db: Database, blobs: Blobs, in_use: int) -> None:
    other, unknown = make_version(db, "other", weights=b"other"), make_version(db, "unknown", weights=b"unknown")
    contents = make_judged(db, blobs)
    judge(db, in_use, contents, right)
    some = dict(sorted(contents.items())[:-1])
    judge(db, other, some, wrong_at_first)
    found = read_check(db, other)
    assert found.counts == PairCounts(both_right=len(some) - 3, only_first=3)
    assert found.n_unbiased == len(some)
    with db.read() as session:
        assert count_pairs(session, in_use, [in_use, other, unknown]) == {
            in_use: PairCounts(both_right=len(contents)),
            other: found.counts,
        }
    assert read_check(db, unknown).counts == PairCounts()


def test_single_corrections_do_not_count_as_unbiased(db: Database, blobs: Blobs, in_use: int) -> None:
    other = make_version(db, "other", weights=b"other")
    say_all(db, LabelSource.CORRECTION, make_pets(db, blobs, 20, labelled=False))
    with db.write() as session:
        contents = {one.sha256: one.label for one in predictions.choose_contents(session)}
    for version in (in_use, other):
        judge(db, version, contents, right)
    found = read_check(db, other)
    assert found.counts.n_images > 0
    assert found.n_unbiased == 0
