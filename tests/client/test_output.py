"""`--json` and `--quiet` of every command: standard output is valid JSON and nothing else, whatever happens."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import click
import pytest
from click.testing import CliRunner, Result

from core.base.config import Settings
from core.base.database import Database
from core.storage.blobs import Blobs
from pawsort.cli import cli
from tests.support.command_tree import iterate_commands
from tests.support.factories import draw_picture, make_job, make_upload, run_job

DATABASES = ("sqlite",)
NOWHERE = "http://127.0.0.1:9"
COMMANDS = dict(iterate_commands())
# They run until they are stopped; their messages are lines of a log.
SERVICES = {"up", "web", "worker", "beat"}
MISSING = "11111111-1111-4111-8111-111111111111"
# One call of each command that talks to a server, in this order. JOB is a job with results.
CALLS = {
    "jobs": "",
    "jobs show": "JOB",
    "results": "JOB",
    "export": "JOB -o -",
    "sort": "JOB --from photos --to sorted",
    "correct": "JOB sorted --dry-run",
    "labels import": "labels.csv",
    "labels undo": MISSING,
    "verify": "labels.csv --job JOB",
    "withdraw": "JOB --yes",
    "queue pause": "",
    "queue resume": "",
    "queue first": "JOB",
    "queue retry": "",
    "cancel": MISSING,
    "classify": "empty",
    "train": "empty",
    "models": "",
    "models list": "",
    "models threshold": "1 --max-error 0.01",
    "promote": "1",
    "rollback": "",
    "schedules": "",
    "schedules add retrain": "weekly --every-labels 500",
    "schedules add classify": "inbox photos --cron 0_3_*_*_*",
    "schedules add clean-up": "tidy --cron 0_3_*_*_* --older-than-days 30",
    "schedules add backup": "nightly --cron 0_3_*_*_*",
    "schedules list": "",
    "schedules edit": "1 --zone Europe/Berlin",
    "schedules pause": "1",
    "schedules resume": "1",
    "schedules run": "1",
    "schedules runs": "1",
    "schedules delete": "1",
    "webhooks": "",
    "webhooks list": "",
    "webhooks deliveries": "1",
    "webhooks test": "1",
    "webhooks replay": "1",
    "audit-log": "",
}
# And of each command that needs none.
LOCAL = {
    "completion show": "fish",
    "completion install": "fish",
    "man": "--to man",
    "migrate": "",
    "token create": "",
    "token list": "",
    "token revoke": "99",
    "user list": "",
    "user role": "nobody viewer",
    "user disable": "nobody",
    "user enable": "nobody",
    "user hand-over": "nobody owner",
    "user quota": "owner",
    "user invite": "ada",
    "user reset": "nobody",
    "login": "",
    "alive": "web",
    "doctor": "",
    "backup": "backups",
    "restore": "nothing",
    "move": "",
}
LINES = {"results", "export"}
WARN = {"labels import"}  # of a picture that is not on the server

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str) -> Run:
    """Call a command in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    for folder in ("photos", "sorted", "empty", "nothing"):
        (tmp_path / folder).mkdir()
    (tmp_path / "labels.csv").write_text(f"sha256,label\n{'0' * 64},cat\n")
    environment = {"PAWSORT_TOKEN": token, "PAWSORT_DATA_DIR": str(tmp_path / "data"), "HOME": str(tmp_path)}
    environment |= {"XDG_DATA_HOME": "", "XDG_CONFIG_HOME": "", "PAWSORT_PORT": "9"}

    def call(name: str, arguments: str, *options: str, job: UUID | str = MISSING) -> Result:
        words = [word.replace("_", " ") if "*" in word else word for word in arguments.split()]
        words = [str(job) if word == "JOB" else word for word in words]
        return CliRunner(env=environment).invoke(cli, [*name.split(), *words, *options])

    return call


def read(name: str, result: Result) -> Any:
    """What standard output says, which is one document, or one on each line of a command that streams."""
    if name in LINES:
        return [json.loads(line) for line in result.stdout.splitlines()]
    return json.loads(result.stdout)


def check_error(result: Result, error: dict[str, Any]) -> None:
    assert error["exit_code"] == result.exit_code != 0
    assert error["title"]
    assert error["detail"]
    assert error["detail"].split(" ")[0] in result.stderr


def test_every_command_takes_both_options() -> None:
    for name, command in COMMANDS.items():
        options = {option for parameter in command.params for option in parameter.opts}
        assert {"--json", "--quiet", "-q"} <= options, name


def test_no_command_is_forgotten_here() -> None:
    groups = {name for name, command in COMMANDS.items() if isinstance(command, click.Group)}
    assert {*CALLS, *LOCAL, *SERVICES} == (COMMANDS.keys() - groups) | {"jobs", "models", "schedules", "webhooks"}


def test_with_a_server_every_result_is_json(address: str, run: Run, db: Database, blobs: Blobs, tmp_path: Path) -> None:
    files = {f"photos/{number}.jpg": draw_picture(number) for number in range(2)}
    for path, data in files.items():
        (tmp_path / path).write_bytes(data)
    job = make_job(db, make_upload(db, blobs, files))
    run_job(db, job)
    for name, arguments in CALLS.items():
        result = run(name, arguments, "--server", address, "--json", "--quiet", job=job)
        assert not isinstance(result.exception, Exception), (name, result.exception)
        answer = read(name, result)
        if result.exit_code:
            check_error(result, answer)
        else:
            assert result.stderr == "" or name in WARN, name
            assert answer or name in ("jobs", "schedules list", "schedules", "webhooks list", "webhooks"), name


def test_without_an_answer_every_error_is_json(run: Run) -> None:
    for name, arguments in CALLS.items():
        result = run(name, arguments, "--server", NOWHERE, "--json")
        error = read(name, result)
        check_error(result, error[-1] if name in LINES else error)
        assert f"Nothing answers at {NOWHERE}" in result.stderr, name


def test_what_needs_no_server_is_json_too(run: Run, settings: Settings) -> None:
    for name, arguments in LOCAL.items():
        result = run(name, arguments, "--json", "--quiet")
        assert not isinstance(result.exception, Exception), (name, result.exception)
        answer = read(name, result)
        if name != "doctor" and result.exit_code:
            check_error(result, answer)


@pytest.mark.parametrize("words", ["--bogus --json", "promote --json one", "promote --json --bogus", "bogus --json"])
def test_what_is_not_understood_is_json(run: Run, words: str) -> None:
    result = run("", words) if not words.startswith("--") else run("jobs", words)
    assert json.loads(result.stdout)["exit_code"] == result.exit_code == 2


def test_what_the_server_refuses_keeps_its_problem_details(address: str, run: Run) -> None:
    result = run("promote", "99", "--server", address, "--json")
    problem = json.loads(result.stdout)
    assert (problem["status"], problem["exit_code"], result.exit_code) == (404, 1, 1)
    assert "no model version 99" in problem["detail"]


def test_what_is_said_goes_to_standard_error_and_quiet_silences_it(address: str, run: Run) -> None:
    loud, quiet = (run("models", "", "--server", address, *options) for options in ((), ("-q",)))
    assert loud.stderr == "No new labels since version 1 was trained.\n"
    assert quiet.stderr == ""
    assert loud.stdout == quiet.stdout


def test_results_come_as_lines_and_an_export_too(address: str, run: Run, db: Database, blobs: Blobs) -> None:
    job = make_job(db, make_upload(db, blobs, {"a.jpg": draw_picture(1), "b.jpg": draw_picture(2)}))
    run_job(db, job)
    listed = run("results", "JOB", "--server", address, "--json", job=job)
    exported = run("export", "JOB -o -", "--server", address, "--json", job=job)
    for result in (listed, exported):
        assert [row["path"] for row in read("results", result)] == ["a.jpg", "b.jpg"]
    assert len(run("results", "JOB --limit 1", "--server", address, job=job).stdout.splitlines()) == 1
