"""Checking an exported table: which pictures are drawn, and what counts as another result."""

import csv
from pathlib import Path
from typing import Any

import pytest

from pawsort.api.decoding import decode
from pawsort.files.verification import compare, draw_sample
from pawsort.schemas import Result

ROW = {"path": "a.jpg", "sha256": "a" * 64, "label": "cat", "error_code": "", "p_cat": "0.9", "p_dog": "0.05"}
RESULT: dict[str, Any] = {"label": "cat", "error_code": None, "probabilities": {"cat": 0.9, "dog": 0.05}}


def test_a_sample_has_each_content_once_and_none_that_was_never_sent(tmp_path: Path) -> None:
    rows = [{"sha256": f"{n % 20:064}", "error_code": "too_many_bytes" if n % 20 == 3 else ""} for n in range(60)]
    with (tmp_path / "t.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    drawn = [row["sha256"] for row in draw_sample(tmp_path / "t.csv", 5, seed=1)]
    assert len(set(drawn)) == 5
    assert drawn == [row["sha256"] for row in draw_sample(tmp_path / "t.csv", 5, seed=1)]
    assert len(draw_sample(tmp_path / "t.csv", 100, seed=1)) == 19


@pytest.mark.parametrize(
    ("changes", "n_differences", "n_other_label"),
    [
        ({}, 0, 0),
        ({"probabilities": {"cat": 0.905, "dog": 0.05}}, 0, 0),
        ({"probabilities": {"cat": 0.895, "dog": 0.05}, "label": "unsure"}, 0, 1),
        ({"probabilities": {"cat": 0.8, "dog": 0.05}}, 1, 0),
        ({"probabilities": None, "label": None, "error_code": "truncated"}, 1, 0),
    ],
)
def test_a_result_differs_when_a_probability_is_further_away_than_the_tolerance(
    changes: dict[str, Any], n_differences: int, n_other_label: int
) -> None:
    found = compare([ROW], {"a" * 64: decode(Result, RESULT | changes)}, 0.01)
    assert (len(found.differences), found.n_other_label, found.n_compared) == (n_differences, n_other_label, 1)


def test_a_file_that_failed_must_fail_alike() -> None:
    row = ROW | {"label": "", "error_code": "truncated", "p_cat": "", "p_dog": ""}
    failed = {"label": None, "probabilities": None}
    assert compare([row], {"a" * 64: decode(Result, failed | {"error_code": "truncated"})}, 0.01).differences == []
    assert (
        len(compare([row], {"a" * 64: decode(Result, failed | {"error_code": "not_an_image"})}, 0.01).differences) == 1
    )
