"""Completion: scripts are installed once, and jobs and versions come from a server that answers."""

from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from core.base.database import Database
from core.storage.blobs import Blobs
from pawsort import completion
from pawsort.cli import cli
from pawsort.commands.shell.completion import SHELLS
from tests.support.deadlines import within
from tests.support.factories import draw_picture, make_job, make_upload

DATABASES = ("sqlite",)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_is_installed_once_and_its_files_are_named(
    shell: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {
        "HOME": str(tmp_path),
        "XDG_DATA_HOME": "",
        "XDG_CONFIG_HOME": "",
        "ZDOTDIR": "",
        "SHELL": f"/bin/{shell}",
    }
    monkeypatch.setattr("pawsort.commands.shell.completion.BASH_COMPLETION", ())
    first = CliRunner(env=environment).invoke(cli, ["completion", "install"])
    assert first.exit_code == 0, first.output
    files = {path: path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert len(files) == (1 if shell == "fish" else 2)
    for path in files:
        assert f"Wrote {path}." in first.stderr
    again = CliRunner(env=environment).invoke(cli, ["completion", "install", shell])
    assert "installed already" in again.stderr
    assert {path: path.read_text() for path in tmp_path.rglob("*") if path.is_file()} == files
    (script,) = [text for text in files.values() if "_PAWSORT_COMPLETE" in text]
    assert script.strip() == CliRunner(env=environment).invoke(cli, ["completion", "show"]).stdout.strip()


def complete(words: list[str], incomplete: str) -> list[str]:
    return [item.value for item in ShellComplete(cli, {}, "pawsort", "_X").get_completions(words, incomplete)]


def test_jobs_versions_and_states_are_completed(
    address: str, token: str, db: Database, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completion, "ANSWER_S", within(5))
    monkeypatch.setenv("PAWSORT_SERVER", address)
    monkeypatch.setenv("PAWSORT_TOKEN", token)
    jobs = {str(make_job(db, make_upload(db, blobs, {"a.jpg": draw_picture(n)}))) for n in range(2)}
    assert set(complete(["jobs", "show"], "")) == jobs
    one = min(jobs)
    assert complete(["export"], one[:13]) == [one]
    assert complete(["promote"], "") == ["1"]
    assert complete(["jobs", "--state"], "q") == ["queued"]


def test_without_an_answer_nothing_is_completed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAWSORT_SERVER", "http://127.0.0.1:9")
    assert complete(["jobs", "show"], "") == []
