"""`pawsort train` against the real application and a real training, in a thread instead of a worker."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from core.base.database import Database
from core.base.states import JobState
from core.cleanup.purge import purge_all
from core.jobs import job_states
from core.models import registry
from core.orm.jobs import Chunk, Job
from core.orm.uploads import Upload
from core.storage.blobs import Blobs
from core.training.parameters import choose_parameters
from pawsort.cli import cli
from pawsort.commands.train import TrainingDisplay, command
from tests.support.actors import as_owner
from tests.support.factories import make_upload
from tests.support.pictures import jpeg

DATABASES = ("sqlite",)
QUICK = ("--network", "seed-cnn", "--epochs", "2", "--batch-size", "16", "--augmentation", "none")


def make_folder(folder: Path, n_each: int, kinds: tuple[str, ...] = ("cat", "dog")) -> Path:
    for kind in kinds:
        (folder / f"{kind}s").mkdir(parents=True)
        for n in range(n_each):
            (folder / f"{kind}s" / f"{n:03}.jpg").write_bytes(jpeg(n, kind, (72, 60)))
    return folder


def train(address: str, token: str, folder: Path, *options: str) -> Result:
    return CliRunner(env={"PAWSORT_TOKEN": token}).invoke(cli, ["train", str(folder), *options, "--server", address])


def living_uploads(db: Database) -> list[str]:
    with db.read() as session:
        return list(session.scalars(select(Upload.name).where(Upload.deleted_at.is_(None))))


@pytest.mark.usefixtures("worker")
def test_a_labelled_folder_becomes_a_version_that_is_not_in_use(
    address: str, token: str, db: Database, tmp_path: Path
) -> None:
    folder = make_folder(tmp_path / "pets", 60)
    (folder / "cats" / "again.jpg").write_bytes((folder / "cats" / "000.jpg").read_bytes())
    said = train(address, token, folder, *QUICK)
    assert said.exit_code == 0, said.output
    assert "Found 60 cat, 60 dog, 0 neither" in said.output
    assert "1 duplicates" in said.output
    assert [line.split(":")[0] for line in said.output.splitlines() if line.startswith("epoch")] == [
        "epoch 1 of 2",
        "epoch 2 of 2",
    ]
    assert "pawsort promote 2" in said.output
    with db.read() as session:
        assert registry.current_version(session).id == 1
        assert session.scalars(select(Chunk)).all() == []
        job = session.scalars(select(Job)).one()
    assert (job.kind, job.name, job.state, job.model_version_id) == ("train", "pets", JobState.DONE, 2)


@pytest.mark.usefixtures("worker")
def test_folders_that_differ_only_in_case_are_one_class_and_are_named(address: str, token: str, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "pets", 30)
    make_folder(tmp_path / "more", 10, ("Cat",))
    (tmp_path / "more" / "Cats").rename(folder / "Cats")
    for number in range(10):
        (folder / "Cats" / f"{number:03}.jpg").write_bytes(jpeg(100 + number, "cat", (72, 60)))
    said = train(address, token, folder, *QUICK)
    assert said.exit_code == 0, said.output
    assert "Found 40 cat, 30 dog" in said.output
    assert '"pets/Cats" and "pets/cats" differ only in case' in said.output


def test_many_files_that_are_seen_to_be_unreadable_are_refused_before_the_start(
    address: str, token: str, db: Database, tmp_path: Path
) -> None:
    folder = make_folder(tmp_path / "pets", 60)
    for number in range(20):
        (folder / "dogs" / f"{number:03}.jpg").write_bytes(b"no picture %d" % number)
        (folder / "cats" / f"{number:03}.jpg").write_bytes(b"no picture either %d" % number)
    said = train(address, token, folder, *QUICK)
    assert said.exit_code == 1
    assert "40 unreadable" in said.output
    assert "40 of 120 pictures cannot be read" in said.output
    assert "Copy them again" in said.output
    assert living_uploads(db) == []


@pytest.mark.usefixtures("worker")
def test_a_training_whose_pictures_turn_out_to_be_unreadable_says_why_and_leaves_nothing(
    address: str, token: str, db: Database, blobs: Blobs, tmp_path: Path
) -> None:
    folder = make_folder(tmp_path / "pets", 60)
    for number in range(40):
        (folder / "dogs" / f"{number:03}.jpg").write_bytes(jpeg(number, "dog", (72, 60))[:900] + b"%d" % number)
    said = train(address, token, folder, *QUICK)
    assert said.exit_code == 1
    assert "40 of 120 pictures cannot be read (truncated: 40)" in said.output
    assert living_uploads(db) == []
    purge_all(db, blobs)
    assert [*blobs.list("uploads/"), *blobs.list("trainings/")] == []


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(
    ("wish", "exit_code", "state", "sentence"),
    [
        ("keep", 0, JobState.DONE, "pawsort promote 2"),
        ("discard", None, JobState.CANCELLED, "The training was stopped"),
        ("leave", None, JobState.RUNNING, "continues on the server"),
    ],
)
def test_ctrl_c_does_to_the_training_what_was_asked_for(
    address: str,
    token: str,
    db: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    wish: str,
    exit_code: int | None,
    state: JobState,
    sentence: str,
) -> None:
    interrupted = []

    def epoch(self: TrainingDisplay, epoch: object, curve: object) -> None:
        if not interrupted:
            interrupted.append(True)
            raise KeyboardInterrupt

    monkeypatch.setattr(TrainingDisplay, "show_epoch", epoch)
    folder = make_folder(tmp_path / "pets", 60)
    said = train(address, token, folder, *QUICK, "--epochs", "1000", "--on-interrupt", wish)
    assert sentence in said.output
    assert said.exit_code == exit_code or (exit_code is None and said.exit_code != 0)
    with db.read() as session:
        job = session.scalars(select(Job)).one()
    assert job.state == state
    with db.write() as session:
        if state == JobState.RUNNING:
            job_states.cancel_job(session, as_owner(session), job.uuid)


@pytest.mark.parametrize(
    ("n_each", "kinds", "options", "sentence"),
    [
        (0, ("cat", "dog"), (), "There are no files in"),
        (30, ("cat",), (), "All 30 pictures are of the class cat"),
        (1, ("cat", "dog", "bird"), (), "at least 10 pictures of each class; got 1 of cat, 1 of dog"),
        (3, ("bird", "fish"), (), "no labelled pictures"),
        (20, ("cat", "dog"), ("--network", "resnet"), "network: expected one of"),
        (20, ("cat", "dog"), ("--epochs", "0", "--seed", "-1"), "epochs: expected a whole number"),
        (20, ("cat", "dog"), ("--start-from", "9"), "no model version 9"),
        (20, ("cat", "dog"), ("--start-from", "1", "--network", "efficientnet-lite0"), "version 1 is one of seed-cnn"),
    ],
)
def test_what_cannot_be_trained_gets_a_sentence_and_leaves_nothing(
    address: str,
    token: str,
    db: Database,
    blobs: Blobs,
    tmp_path: Path,
    n_each: int,
    kinds: tuple[str, ...],
    options: tuple[str, ...],
    sentence: str,
) -> None:
    said = train(address, token, make_folder(tmp_path / "pets", n_each, kinds), "--network", "seed-cnn", *options)
    assert said.exit_code == 1
    assert sentence in said.output
    assert living_uploads(db) == []
    with db.read() as session:
        assert session.scalars(select(Job)).all() == []
    purge_all(db, blobs)
    assert list(blobs.list("uploads/")) == []


@pytest.mark.usefixtures("worker")
def test_everything_that_is_labelled_on_the_server_is_trained_on_without_a_folder(
    address: str, token: str, db: Database, blobs: Blobs
) -> None:
    files = {f"pets/{kind}s/{n}.jpg": jpeg(n, kind, (72, 60)) for kind in ("cat", "dog") for n in range(60)}
    make_upload(db, blobs, files=files, labelled=True)
    said = CliRunner(env={"PAWSORT_TOKEN": token}).invoke(cli, ["train", "--all-labels", *QUICK, "--server", address])
    assert said.exit_code == 0, said.output
    assert "Found 60 cat, 60 dog" in said.output
    assert "pawsort promote 2" in said.output


@pytest.mark.parametrize("words", [[], ["--all-labels", "."]])
def test_either_folders_or_everything_is_to_be_named(words: list[str]) -> None:
    said = CliRunner().invoke(cli, ["train", *words])
    assert said.exit_code == 2
    assert "Give folders to train on, or --all-labels" in said.output


@pytest.mark.parametrize(
    "given",
    [{"network": "seed-cnn", "steps_per_epoch": 5, "learning_rate": 0.000001}, {"what": "head", "start_from": 7}],
    ids=["epochs", "head"],
)
def test_the_command_that_a_model_card_shows_trains_the_same(given: dict[str, Any], tmp_path: Path) -> None:
    parameters = choose_parameters(given, 100)
    _, _, *words = parameters.to_command().replace("FOLDER", str(tmp_path)).split()
    told = command.make_context("train", words).params
    again = choose_parameters({name: told[name] for name in parameters.to_dict()}, 999)
    assert again.to_command() == parameters.to_command()
