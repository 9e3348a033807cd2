"""A training worker that is killed again and again: the training ends with every epoch, each once."""

import hashlib
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from core.base.states import JobState
from core.models.registry import weights_key
from core.orm.jobs import Job
from core.orm.models import ModelVersion
from core.orm.operations import Worker
from core.orm.training import EpochRow, Training
from tests.support.factories import make_tar
from tests.support.installation import END_S, START_S, Installation
from tests.support.pictures import jpeg
from tests.support.processes import kill, living

N_KILLS = 3
N_EPOCHS = 10
N_EACH = 100


def send_pets(installation: Installation) -> str:
    files = [(f"pets/{kind}s/{n:03}.jpg", jpeg(n, kind, (72, 60))) for kind in ("cat", "dog") for n in range(N_EACH)]
    upload = str(uuid4())
    with installation.client() as client:
        client.uploads.create(upload, name="pets", labelled=True)
        client.uploads.put_shard(upload, 0, make_tar(files))
        client.uploads.complete(upload, 1)
    return upload


def start_training(installation: Installation, upload: str, **given: Any) -> str:
    with installation.http() as http:
        answer = http.post("/training-jobs", json={"network": "seed-cnn", "data": [upload], **given})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def epochs_of(installation: Installation, job: str) -> list[int]:
    with installation.db.read() as session:
        of_job = select(EpochRow.number).join(Job, Job.id == EpochRow.job_id).where(Job.uuid == UUID(job))
        return list(session.scalars(of_job.order_by(EpochRow.number)))


def find_worker(installation: Installation, job: str) -> int | None:
    """The process that trains now."""
    with installation.db.read() as session:
        of_job = select(Worker.pid).join(Training, Training.worker_id == Worker.id).join(Job, Job.id == Training.job_id)
        pid = session.scalar(of_job.where(Job.uuid == UUID(job), Training.lease_until.is_not(None)))
    return pid if pid is not None and living([pid]) else None


@pytest.mark.slow
def test_a_training_killed_three_times_ends_with_ten_epochs_each_once(installation: Installation) -> None:
    job = start_training(installation, send_pets(installation), epochs=N_EPOCHS, steps_per_epoch=40, batch_size=32)
    for number in range(1, N_KILLS + 1):
        installation.wait_for(
            lambda n=number: len(epochs_of(installation, job)) >= 2 * n, START_S, f"epoch {2 * number}"
        )
        pid = installation.wait_for(lambda: find_worker(installation, job), END_S, "the training worker")
        kill(pid)
    assert installation.wait_for_job(job, START_S) == JobState.DONE
    assert epochs_of(installation, job) == list(range(1, N_EPOCHS + 1))
    with installation.db.read() as session:
        found = session.scalars(select(Job).where(Job.uuid == UUID(job))).one()
        version = session.get_one(ModelVersion, found.model_version_id)
    weights = installation.data_dir / "blobs" / weights_key(version.digest)
    assert hashlib.sha256(weights.read_bytes()).hexdigest() == version.digest
    installation.wait_for(lambda: find_worker(installation, job) is None, END_S, "the process to end with its job")
