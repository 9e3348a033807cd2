"""`pawsort audit-log` against the real application."""

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pawsort.cli import cli

DATABASES = ("sqlite",)
pytestmark = pytest.mark.usefixtures("app")


def run(address: str, token: str, *words: str) -> Result:
    return CliRunner(env={"PAWSORT_TOKEN": token}).invoke(cli, ["audit-log", *words, "--server", address])


def test_entries_are_listed_filtered_and_written_to_a_file(address: str, token: str, tmp_path: Path) -> None:
    for _ in range(2):
        CliRunner(env={"PAWSORT_TOKEN": token}).invoke(cli, ["queue", "pause", "--server", address])
    entries = json.loads(run(address, token, "--action", "setting.change", "--json").stdout)
    assert {entry["action"] for entry in entries} == {"setting.change"}
    assert "setting.change" in run(address, token, "--limit", "1").stdout
    assert json.loads(run(address, token, "--before", "2020-01-01", "--json").stdout) == []
    file = tmp_path / "log.csv"
    assert run(address, token, "--action", "setting.change", "-o", str(file)).exit_code == 0
    with file.open(encoding="utf-8-sig", newline="") as rows:
        assert [row["action"] for row in csv.DictReader(rows)] == ["setting.change"] * len(entries)
    refused = run(address, token, "-o", str(tmp_path / "log.txt"))
    assert refused.exit_code == 1
    assert "ends in .csv or .jsonl" in refused.stderr
