"""The gate: what passes, and each single thing that keeps a candidate out. Counted by hand."""

import pytest

from core.evaluation.promotion_gate import Gate, PredictionPair, decide

GATE = Gate(min_gain=0.02, max_p=0.05, max_class_loss=0.02)


def pairs(both: int, only_in_use: int, only_candidate: int, neither: int, label: str = "cat") -> list[PredictionPair]:
    """So many pictures that both call right, only one of them, and none."""
    right = [(True, True)] * both + [(True, False)] * only_in_use
    right += [(False, True)] * only_candidate + [(False, False)] * neither
    return [PredictionPair(label, *one) for one in right]


def test_a_candidate_that_is_better_by_enough_passes() -> None:
    verdict = decide(GATE, pairs(170, 2, 20, 8), 200)
    assert verdict.is_better
    assert verdict.sentence.startswith("right on 95.0 % of 200 pictures instead of 86.0 % (p = 0.00012)")


@pytest.mark.parametrize(
    ("found", "gate", "reason"),
    [
        (pairs(170, 2, 20, 8), Gate(0.10, 0.05, 0.02), "at least 10.0 points more were asked for"),
        (pairs(180, 2, 8, 10), GATE, "McNemar's test must give p < 0.05"),
        (pairs(180, 10, 10, 0), Gate(0.0, 0.5, 0.02), "more were asked for"),
        (pairs(99, 0, 1, 0) + pairs(60, 4, 30, 6, "dog"), GATE, ""),
        (pairs(90, 6, 4, 0) + pairs(60, 0, 40, 0, "dog"), Gate(0.0, 0.05, 0.01), "class cat it is worse by 2.0 points"),
    ],
)
def test_each_condition_keeps_a_candidate_out_and_is_named(
    found: list[PredictionPair], gate: Gate, reason: str
) -> None:
    verdict = decide(gate, found, len(found))
    assert reason in verdict.sentence
    assert verdict.is_better == (reason == "")


def test_fewer_than_200_pictures_are_too_few_to_tell_whatever_they_say() -> None:
    verdict = decide(GATE, pairs(0, 0, 199, 0), 199)
    assert (verdict.is_better, verdict.is_too_few) == (False, True)


def test_pictures_of_neither_class_keep_a_candidate_out_that_no_longer_turns_them_away() -> None:
    better = pairs(170, 2, 20, 8)
    assert not decide(GATE, better + pairs(40, 10, 0, 0, "neither"), 200).is_better
    assert decide(GATE, better + pairs(30, 10, 0, 0, "neither"), 200).is_better  # 40 of them are too few to ask


def test_pictures_of_neither_class_do_not_count_as_right() -> None:
    verdict = decide(GATE, pairs(150, 0, 0, 0) + pairs(0, 0, 100, 0, "neither"), 150)
    assert verdict.is_too_few
