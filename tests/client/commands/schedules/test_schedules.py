"""`pawsort schedules` against the real application."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from core.base.config import Settings
from core.base.database import Database
from core.base.states import RunState
from core.cleanup import deletion
from core.schedules import runs, schedules
from core.storage.blobs import Blobs
from pawsort.cli import cli
from tests.support.actors import as_owner
from tests.support.factories import make_labelled

DATABASES = ("sqlite",)


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return settings.model_copy(update={"import_roots": str(tmp_path)})


def run(address: str, token: str, *words: str) -> Result:
    return CliRunner(env={"PAWSORT_TOKEN": token}).invoke(cli, ["schedules", *words, "--server", address])


def add_clean_up(address: str, token: str) -> Result:
    words = ("add", "clean-up", "tidy", "--cron", "0 3 * * SUN", "--zone", "Europe/Berlin", "--older-than-days", "30")
    return run(address, token, *words)


def test_a_schedule_is_added_in_words_and_listed(address: str, token: str) -> None:
    assert run(address, token).output.startswith("There are no schedules yet.")
    added = add_clean_up(address, token).output
    assert added.startswith("Schedule 1 (tidy): Every Sunday at 03:00 (Europe/Berlin). Next: ")
    assert added.partition("Next: ")[2].count(" 03:00") == 5
    (line,) = run(address, token, "list").output.splitlines()[1:]
    assert line.split()[:3] == ["1", "tidy", "clean_up"]


def test_a_schedule_is_paused_resumed_run_and_deleted(address: str, token: str, db: Database) -> None:
    add_clean_up(address, token)
    assert "is paused" in run(address, token, "pause", "1").output
    assert "paused" in run(address, token, "list").output
    assert "is resumed. Every Sunday at 03:00" in run(address, token, "resume", "1").output
    assert "has not run yet" in run(address, token, "runs", "1").output
    assert "Run 1 has started" in run(address, token, "run", "1").output
    with db.write() as session:
        claim = runs.claim_run(session, 1, 60)
        assert claim is not None
        runs.end_run(session, claim, RunState.DONE, "Nothing was to be deleted.")
    assert "by owner" in run(address, token, "runs", "1").output
    assert "Nothing was to be deleted." in run(address, token, "list").output
    assert "is deleted" in run(address, token, "delete", "1").output
    assert run(address, token).output.startswith("There are no schedules yet.")


def test_retraining_and_classifying_are_told_what_the_options_say(address: str, token: str, tmp_path: Path) -> None:
    words = ("--every-labels", "500", "--network", "seed-cnn", "--promote", "--min-gain", "0.01", "--epochs", "3")
    added = run(address, token, "add", "retrain", "learn", *words)
    assert added.output.startswith("Schedule 1 (learn): When 500 new labels have been added.")
    added = run(address, token, "add", "classify", "incoming", str(tmp_path), "--cron", "0 * * * *", "--labelled")
    assert added.output.startswith("Schedule 2 (incoming): Every hour")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("clean-up", "a", "--older-than-days", "3", "--cron", "0 0 30 2 *"), "'0 0 30 2 *' matches no date"),
        (
            ("clean-up", "a", "--older-than-days", "3", "--cron", "0 3 * * *", "--zone", "Europe/Atlantis"),
            "time_zone: expected a name such as Europe/Berlin",
        ),
        (("classify", "a", "/etc", "--cron", "0 * * * *"), "outside the folders that this server may read"),
        (("retrain", "a", "--cron", "0 3 * * SUN", "--promote", "--min-gain", "2"), "expected a share from 0 to 1"),
        (("retrain", "a", "--cron", "0 3 * * SUN", "--promote", "--max-p", "0"), "max_p: expected"),
    ],
)
def test_what_can_never_be_done_gets_a_sentence_at_once(
    address: str, token: str, words: tuple[str, ...], sentence: str
) -> None:
    said = run(address, token, "add", *words)
    assert said.exit_code == 1
    assert sentence in said.output
    assert run(address, token).output.startswith("There are no schedules yet.")


def test_a_deleted_upload_is_named_at_once(address: str, token: str, db: Database, blobs: Blobs) -> None:
    upload = make_labelled(db, blobs)
    with db.write() as session:
        deletion.delete_upload(session, as_owner(session), upload)
    said = run(address, token, "add", "retrain", "a", "--cron", "0 3 * * SUN", "--upload", str(upload))
    assert said.exit_code == 1
    assert str(upload) in said.output
    assert "deleted" in said.output


def test_what_is_wrong_gets_the_servers_sentence_and_exit_code_1(address: str, token: str) -> None:
    outside = run(address, token, "add", "classify", "incoming", "/etc", "--cron", "0 * * * *")
    assert outside.exit_code == 1
    assert "outside the folders that this server may read" in outside.output
    assert "no schedule 99" in run(address, token, "run", "99").output


def test_an_edit_changes_what_it_names_and_nothing_else(address: str, token: str, db: Database) -> None:
    run(address, token, "add", "retrain", "nightly", "--cron", "0 3 * * *", "--promote", "--min-gain", "0.02")
    told = ("--name", "weekly", "--cron", "0 4 * * SUN", "--set", "min_gain=0.01", "--set", "outcome=keep")
    said = run(address, token, "edit", "1", *told).output
    assert said.startswith("Schedule 1 (weekly): Every Sunday at 04:00 (UTC). Next: ")
    run(address, token, "edit", "1", "--set", 'training={"what": "head"}', "--set", "min_gain=")
    with db.read() as session:
        schedule = schedules.get_schedule(session, 1)
        assert (schedule.name, schedule.cron, schedule.parameters["outcome"]) == ("weekly", "0 4 * * SUN", "keep")
        assert schedule.parameters["training"] == {"what": "head"}
        assert schedule.parameters["min_gain"] == 0.005
    assert "When 500 new labels have been added" in run(address, token, "edit", "1", "--every-labels", "500").output


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ((), "Nothing to change."),
        (("--cron", "0 3 * * *", "--every-labels", "5"), "not both"),
        (("--cron", "0 0 31 2 *"), "matches no date"),
        (("--zone", "Mars/Olympus"), "Mars/Olympus"),
        (("--set", "min_gain"), "expected NAME=VALUE"),
        (("--set", "min_gain=lots"), "min_gain: expected"),
    ],
)
def test_a_wrong_edit_is_refused_with_a_sentence(
    address: str, token: str, told: tuple[str, ...], sentence: str
) -> None:
    run(address, token, "add", "retrain", "nightly", "--cron", "0 3 * * *")
    refused = run(address, token, "edit", "1", *told)
    assert refused.exit_code != 0
    assert sentence in refused.output
