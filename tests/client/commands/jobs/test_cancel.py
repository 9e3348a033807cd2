"""`pawsort cancel` against the real application."""

from uuid import UUID

import pytest
from click.testing import CliRunner, Result

from core.base.database import Database
from core.base.states import JobState
from core.jobs import jobs
from core.orm.jobs import Job
from core.storage.blobs import Blobs
from core.training import progress
from pawsort.cli import cli
from tests.support.factories import make_job, make_training, make_upload
from tests.support.pictures import jpeg
from tests.support.waiting import until

DATABASES = ("sqlite",)
pytestmark = pytest.mark.usefixtures("app")


def cancel(address: str, token: str, job: object, *options: str) -> Result:
    return CliRunner(env={"PAWSORT_TOKEN": token}).invoke(cli, ["cancel", str(job), *options, "--server", address])


def get_job(db: Database, uuid: UUID) -> Job:
    with db.read() as session:
        return jobs.get_job(session, uuid)


def test_a_job_is_stopped(address: str, token: str, db: Database, blobs: Blobs) -> None:
    uuid = make_job(db, make_upload(db, blobs, files={"a.jpg": jpeg(1)}))
    said = cancel(address, token, uuid)
    assert said.exit_code == 0, said.output
    assert get_job(db, uuid).state == JobState.CANCELLED


def test_only_a_training_has_a_best_epoch_to_keep(address: str, token: str, db: Database, blobs: Blobs) -> None:
    uuid = make_job(db, make_upload(db, blobs, files={"a.jpg": jpeg(1)}))
    said = cancel(address, token, uuid, "--keep-best")
    assert said.exit_code == 1
    assert "training" in said.output
    assert get_job(db, uuid).state != JobState.CANCELLED


def test_what_is_no_job_is_said(address: str, token: str) -> None:
    assert "no job" in cancel(address, token, UUID(int=7)).output
    assert cancel(address, token, "seven").exit_code == 2


@pytest.mark.usefixtures("worker")
def test_a_training_ends_with_its_best_epoch_as_a_version(
    address: str,
    token: str,
    db: Database,
    blobs: Blobs,
) -> None:
    files = {f"pets/{kind}s/{n}.jpg": jpeg(n, kind, (72, 60)) for kind in ("cat", "dog") for n in range(60)}
    upload = make_upload(db, blobs, files=files, labelled=True)
    uuid = make_training(db, upload, network="seed-cnn", epochs=1000, batch_size=16, augmentation="none")
    until(lambda: n_epochs(db, uuid), 60, "the first epoch")
    said = cancel(address, token, uuid, "--keep-best")
    assert said.exit_code == 0, said.output
    until(lambda: get_job(db, uuid).state != JobState.RUNNING, 60, "the training to end")
    assert get_job(db, uuid).state == JobState.DONE
    assert get_job(db, uuid).model_version_id is not None


def n_epochs(db: Database, uuid: UUID) -> int:
    with db.read() as session:
        return len(progress.list_epochs(session, jobs.get_job(session, uuid).id))
