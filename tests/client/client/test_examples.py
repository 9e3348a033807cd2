"""The scripts and the notebook in docs/examples, each as a user runs it."""

import csv
import json
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from core.base.database import Database
from core.orm.models import ModelVersion
from pawsort import Pawsort
from tests.support.browser.site import served
from tests.support.classifying import classifying
from tests.support.factories import draw_picture, make_manifest
from tests.support.paths import ROOT
from web.app import App

DATABASES = ("sqlite",)
EXAMPLES = ROOT / "docs" / "examples"
CURVE = {"threshold": [0.0, 0.5, 0.85], "labelled": [1.0, 0.9, 0.8], "wrong": [0.1, 0.01, 0.0]}


@pytest.fixture(autouse=True)
def server(app: App, token: str, db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server that is named in the environment, in a folder with three photographs."""
    (tmp_path / "photos").mkdir()
    for number in range(3):
        (tmp_path / "photos" / f"{number}.jpg").write_bytes(draw_picture(number, (32, 32)))
    monkeypatch.chdir(tmp_path)
    with db.write() as session:
        manifest = make_manifest()
        manifest["metrics"] = {"validation": {"n_images": 1000, "coverage": CURVE}}
        session.execute(update(ModelVersion).values(manifest=manifest))
    with served(app) as address, classifying(db):
        monkeypatch.setenv("PAWSORT_SERVER", address)
        monkeypatch.setenv("PAWSORT_TOKEN", token)
        yield


def run(monkeypatch: pytest.MonkeyPatch, name: str, argument: str) -> None:
    monkeypatch.setattr(sys, "argv", [name, argument])
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")


def test_a_folder_becomes_a_data_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pandas")
    run(monkeypatch, "folder_to_frame.py", "photos/")
    with Path("photos.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["path"], row["label"], row["p_cat"]) for row in rows] == [
        (f"photos/{n}.jpg", "cat", "0.9") for n in range(3)
    ]


def test_labels_come_home_from_a_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with Pawsort() as client:
        results = list(client.classify("photos/"))
        lines = ["sha256,label", *(f"{result.sha256},dog" for result in results), f"{'0' * 64},cat"]
        Path("labels.csv").write_text("\n".join(lines), encoding="utf-8")
        run(monkeypatch, "labels_from_csv.py", "labels.csv")
        assert "3 labels added, 1 contents unknown" in capsys.readouterr().out
        assert {result.human_label for result in client.jobs.results(next(client.jobs.list()))} == {"dog"}


def test_a_threshold_keeps_a_promise(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    run(monkeypatch, "threshold_by_promise.py", "photos/")
    said = capsys.readouterr().out
    assert "80% of such pictures get one" in said
    assert "'cat': 3" in said


def test_every_cell_of_the_notebook_runs() -> None:
    pytest.importorskip("pandas")
    notebook = json.loads((EXAMPLES / "pawsort.ipynb").read_text(encoding="utf-8"))
    names: dict[str, object] = {}
    for cell in notebook["cells"]:
        assert not cell.get("outputs")
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    assert names["client"].jobs.get(names["job"]).threshold == 0.85  # type: ignore[attr-defined]
