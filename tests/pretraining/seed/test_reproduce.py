import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.base.errors import Invalid
from model.training.augmentation import SEED
from model.training.examples import Examples
from model.training.recipe import Recipe
from pretraining.seed.reproduce import COLUMNS, choose_photographs, run_training
from pretraining.seed.results_page import PAGE, make_page
from pretraining.seed.training_runs import ROWS, RUNS, Run
from tests.pretraining.test_from_scratch import draw_labelled_folder
from tests.support.paths import ROOT

RECORDS = ROOT / "docs" / "seed-results"
QUICK = Run(
    "quick",
    Recipe(epochs=2, steps_per_epoch=2, batch_size=4, schedule="constant", averaging=0.0, augmentation=SEED),
    original=(0.5, 0.5),
)


@pytest.fixture
def examples() -> Examples:
    images = np.random.default_rng(1).integers(0, 256, (12, 64, 64, 3), np.uint8)
    return Examples(images, np.arange(12) % 2)


def test_the_page_says_what_the_records_say() -> None:
    assert (RECORDS.parent / PAGE).read_text() == make_page(RECORDS)


@pytest.mark.parametrize("name", ROWS)
def test_a_row_has_been_run_as_it_was_described(name: str) -> None:
    record = json.loads((RECORDS / f"{name}.json").read_text())
    recipe = ROWS[name].recipe
    assert (record["recipe"]["epochs"], record["recipe"]["steps_per_epoch"]) == (recipe.epochs, recipe.steps_per_epoch)
    assert record["data"]["n_images"] == 5000


@pytest.mark.parametrize("path", sorted(RECORDS.glob("*.json")), ids=lambda path: path.stem)
def test_the_last_line_of_a_curve_is_what_its_record_says(path: Path) -> None:
    record = json.loads(path.read_text())
    lines = list(csv.DictReader(path.with_suffix(".csv").read_text().splitlines()))
    assert path.stem in RUNS
    assert [int(line["number"]) for line in lines] == list(range(1, record["recipe"]["epochs"] + 1))
    for name in ("loss", "accuracy"):
        assert float(lines[-1][name]) == pytest.approx(record[name], rel=1e-5)
    assert float(lines[-1]["val_accuracy"]) == pytest.approx(record["test"]["accuracy"], rel=1e-5)


def test_a_training_that_was_stopped_ends_as_an_undisturbed_one(tmp_path: Path, examples: Examples) -> None:
    whole, whole_curve = run_training("whole", QUICK, examples, examples, tmp_path / "whole.npz")

    half = replace(QUICK, recipe=replace(QUICK.recipe, epochs=1))
    run_training("half", half, examples, examples, tmp_path / "half.npz")
    rest, rest_curve = run_training("half", QUICK, examples, examples, tmp_path / "half.npz")

    assert rest["weights"] == whole["weights"]
    assert _without_times(rest_curve) == _without_times(whole_curve)
    assert whole_curve.splitlines()[0] == ",".join(COLUMNS)
    assert len(whole_curve.splitlines()) == 3


def test_too_few_photographs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="2500 different photographs in cats; got 3"):
        choose_photographs(draw_labelled_folder(tmp_path, 3))


def _without_times(curve: str) -> list[list[str]]:
    return [line.split(",")[:6] for line in curve.splitlines()]
