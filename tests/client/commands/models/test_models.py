"""`pawsort models`, `promote` and `rollback` against the real application."""

import hashlib
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result

from core.base.database import Database
from core.labels.labels import NewLabel, add_labels
from core.models import registry
from core.storage.blobs import Blobs
from pawsort.cli import INTERRUPTED, cli
from pawsort.commands.models import promote
from tests.support.factories import make_job, make_manifest, make_upload, make_version, read_results, run_job
from web.app import App

DATABASES = ("sqlite",)


@pytest.fixture
def other(app: App, db: Database, blobs: Blobs) -> int:
    """A second version; both have weights."""
    blobs.put(registry.weights_key(make_manifest()["digest"]), b"seed-cnn")
    blobs.put(registry.weights_key(hashlib.sha256(b"weights").hexdigest()), b"weights")
    return make_version(db, "another", weights=b"weights")


def run(address: str, token: str, *words: str) -> Result:
    return CliRunner(env={"PAWSORT_TOKEN": token}).invoke(cli, [*words, "--server", address])


def test_versions_are_listed_promoted_and_taken_back(address: str, token: str, other: int) -> None:
    lines = run(address, token, "models").output.splitlines()
    assert [line.split()[:2] for line in lines[1:3]] == [[str(other), "another"], ["1", "seed-cnn"]]
    assert "yes" in lines[2]
    assert lines[3] == "No new labels since version 1 was trained."
    assert f"Version {other} is in use" in run(address, token, "promote", str(other)).output
    assert "yes" in run(address, token, "models").output.splitlines()[1]
    assert f"Version 1 is in use again for new jobs, instead of {other}" in run(address, token, "rollback").output


def test_promoting_asks_on_a_terminal_when_the_versions_were_not_compared(
    address: str, token: str, other: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(promote, "sys", SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True)))
    words = ["promote", str(other), "--server", address]
    monkeypatch.setenv("PAWSORT_TOKEN", token)
    refused = CliRunner().invoke(cli, words, input="n\n")
    assert refused.exit_code == INTERRUPTED
    assert "were not evaluated on the same pictures" in refused.output
    assert "yes" in run(address, token, "models").output.splitlines()[2]
    assert f"Version {other} is in use" in CliRunner().invoke(cli, words, input="y\n").output
    assert "Version 1 is in use" in run(address, token, "promote", "1", "--yes").output


@pytest.mark.usefixtures("other")
def test_new_labels_stand_beside_each_version_with_how_to_train_on_them(
    address: str, token: str, db: Database, blobs: Blobs
) -> None:
    job = make_job(db, make_upload(db, blobs))
    run_job(db, job)
    with db.write() as session:
        add_labels(session, None, [NewLabel(row.image_id, "dog") for row in read_results(db, job)[:3]])
    lines = run(address, token, "models").output.splitlines()
    assert [line.split()[-1] for line in lines[1:3]] == ["3", "3"]
    assert lines[3].startswith("3 new labels since version 1 was trained. Train on all labels: pawsort train")


def test_the_threshold_that_keeps_a_promise_stands_alone_on_standard_output(
    address: str, token: str, db: Database
) -> None:
    curve = {"threshold": [0.0, 0.9], "labelled": [1.0, 0.7], "wrong": [0.05, 0.001]}
    validation = {"n_images": 1000, "coverage": curve}
    with db.write() as session:
        version = registry.add_version(
            session, make_manifest() | {"digest": "d", "metrics": {"validation": validation}}
        ).id
    found = run(address, token, "models", "threshold", str(version), "--max-error", "0.01")
    assert (found.exit_code, found.stdout) == (0, "0.9\n")
    assert "70.0 % of 1,000 validation pictures get a label there; 1 of 700 are wrong" in found.stderr
    refused = run(address, token, "models", "threshold", str(version), "--max-error", "0.0001")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "cannot promise" in refused.stderr


def test_what_cannot_be_done_gets_the_servers_sentence_and_exit_code_1(address: str, token: str) -> None:
    missing = run(address, token, "promote", "99")
    assert missing.exit_code == 1
    assert "no model version 99" in missing.output
    first = run(address, token, "rollback")
    assert first.exit_code == 1
    assert "nothing to roll back to" in first.output
