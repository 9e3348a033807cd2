"""The same on PostgreSQL: a worker killed, and every connection to the database cut in the middle of a job."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.installation import END_S, QUICK, START_S, Installation
from tests.support.photographs import make_shards
from tests.support.postgresql import cut_connections
from tests.support.soundness import check_sound, read_results

DATABASES = ("postgresql",)


@pytest.fixture
def installation(tmp_path: Path, sql_url: str) -> Iterator[Installation]:
    """An installation on a PostgreSQL database of its own."""
    with Installation.running(tmp_path / "data", **QUICK, PAWSORT_DATABASE_URL=sql_url) as one:
        yield one


def test_a_killed_worker_and_cut_connections_lose_nothing_on_postgresql(
    installation: Installation, sql_url: str
) -> None:
    upload = installation.send(make_shards(4, 4))
    undisturbed = installation.classify(upload)
    installation.wait_for_job(undisturbed, START_S)
    check_sound(installation.db, undisturbed)
    with installation.holding():
        job = installation.classify(upload)
        installation.kill_under_way(job)
        installation.wait_under_way(job)
        assert cut_connections(sql_url) > 2
    installation.wait_for_job(job)
    check_sound(installation.db, job)
    assert max(installation.attempts(job)) > 1
    assert read_results(installation.db, job) == read_results(installation.db, undisturbed)
    with installation.http() as http:
        assert http.get(f"/jobs/{job}").json()["state"] == "done"
    with installation.client() as client:
        client.jobs.delete(job)
        client.jobs.delete(undisturbed)
    folder = installation.data_dir / "blobs" / "uploads" / upload
    installation.wait_for(lambda: not folder.exists(), END_S, "the bytes to go")
