"""`pawsort withdraw` against the real application."""

from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner, Result

from core.base.database import Database
from core.storage.blobs import Blobs
from pawsort.cli import cli
from tests.support.factories import make_job, make_labelled, make_training

DATABASES = ("sqlite",)
pytestmark = pytest.mark.usefixtures("app")


def withdraw(address: str, token: str, job: UUID) -> Result:
    return CliRunner(env={"PAWSORT_TOKEN": token}).invoke(cli, ["withdraw", str(job), "--server", address])


def test_the_labels_of_an_uploads_folders_are_withdrawn(address: str, token: str, db: Database, blobs: Blobs) -> None:
    job = make_job(db, make_labelled(db, blobs, n_each=2))
    assert withdraw(address, token, job).output == "4 labels of folders withdrawn.\n"
    assert withdraw(address, token, job).output == "0 labels of folders withdrawn.\n"


def test_a_training_names_its_page(address: str, token: str, db: Database, blobs: Blobs) -> None:
    training = make_training(db, make_labelled(db, blobs), epochs=1)
    said = withdraw(address, token, training)
    assert said.exit_code == 1
    assert "page" in said.output


def test_what_is_no_job_is_said(address: str, token: str) -> None:
    assert "no job" in withdraw(address, token, uuid4()).output
