"""Weights that cannot be had: the job says so and ends, and all is well when they are back."""

from pathlib import Path

import pytest
from sqlalchemy import select

from core.orm.jobs import Job
from tests.support.installation import START_S, Installation
from tests.support.photographs import make_shards
from tests.support.processes import kill
from tests.support.soundness import check_sound


@pytest.mark.slow
def test_a_worker_that_starts_without_weights_fails_jobs_with_a_sentence_and_recovers(
    installation: Installation, tmp_path: Path
) -> None:
    installation.wait_for_workers()
    hidden = _hide_weights(installation, tmp_path)
    (parent,) = installation.find("inference@")
    kill(parent)
    assert len(installation.wait_for_workers()) == 2  # they beat, though they have no network
    upload = installation.send(make_shards(1, 3))
    job = installation.classify(upload)
    assert installation.wait_for_job(job, START_S) == "failed"
    with installation.db.read() as session:
        sentence = session.scalars(select(Job.error).where(Job.state == "failed")).one()
    assert sentence is not None
    assert "models/" in sentence
    _put_back(installation, hidden)
    with installation.client() as client:
        client.jobs.retry(job)
    assert installation.wait_for_job(job) == "done"
    check_sound(installation.db, job)


def _hide_weights(installation: Installation, folder: Path) -> list[Path]:
    """Take the weights away from the store and from the workers' cache; returns where they are now."""
    for cached in (installation.data_dir / "cache" / "models").iterdir():
        cached.unlink()
    stored = list((installation.data_dir / "blobs" / "models").iterdir())
    return [path.rename(folder / path.name) for path in stored]


def _put_back(installation: Installation, hidden: list[Path]) -> None:
    for path in hidden:
        path.rename(installation.data_dir / "blobs" / "models" / path.name)
