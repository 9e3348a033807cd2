"""Another version is put into use while a job runs: the job keeps its own, the next one gets the new one."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx2
import pytest

from core.models import registry
from core.storage.blobs import Blobs
from tests.support.installation import START_S, Installation
from tests.support.mirrored_version import add_mirrored
from tests.support.photographs import make_shards
from tests.support.soundness import Said, check_sound, read_results

N_SHARDS, N_EACH = 6, 2
PAUSE_S = 0.02


@pytest.fixture
def mirrored(installation: Installation) -> Iterator[int]:
    """A candidate that says the opposite of the version in use."""
    installation.wait_for_workers()
    blobs = Blobs((installation.data_dir / "blobs").as_uri(), 0)
    with installation.db.read() as session:
        in_use = registry.current_version(session)
    version = add_mirrored(installation.db, blobs, in_use)
    yield version
    with installation.http() as http:
        if _in_use(http) == version:
            http.post("/models/rollback")
        assert http.delete(f"/models/{version}").status_code == 202


def _in_use(http: httpx2.Client) -> int:
    return next(one["version"] for one in http.get("/models").json()["items"] if one["in_use"])


@contextmanager
def asking(installation: Installation, job: str) -> Iterator[list[int]]:
    """Somebody who asks for everything again and again, without patience; gives the answers' statuses."""
    statuses: list[int] = []
    over = threading.Event()

    def ask() -> None:
        with installation.http() as http:
            while not over.wait(PAUSE_S):
                for path in (f"/jobs/{job}", f"/jobs/{job}/results", "/models", "/deployments"):
                    statuses.append(http.get(path).status_code)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield statuses
    finally:
        over.set()
        thread.join()


def _swapped(results: dict[str, Said]) -> dict[str, int | None]:
    return {path: None if said[0] is None else 1 - said[0] for path, said in results.items()}


@pytest.mark.slow
def test_a_promotion_while_a_job_runs_is_for_the_next_job_on_every_worker(
    installation: Installation, mirrored: int
) -> None:
    workers = installation.wait_for_workers()
    upload = installation.send(make_shards(N_SHARDS, N_EACH))
    with ExitStack() as held, installation.http() as http:
        held.enter_context(installation.holding())
        before = installation.classify(upload)
        installation.wait_under_way(before)
        with asking(installation, before) as statuses:
            original = _in_use(http)
            assert http.post(f"/models/{mirrored}/promote").status_code == 200
            assert installation.state(before) == "running"
            after = installation.classify(upload)
            assert [http.get(f"/jobs/{job}").json()["model"] for job in (before, after)] == [original, mirrored]
            held.close()
            for job in (before, after):
                installation.wait_for_job(job, START_S)
                check_sound(installation.db, job)
            assert http.post("/models/rollback", json={"in_use": mirrored}).status_code == 200
            again = installation.classify(upload)
            installation.wait_for_job(again)
    assert set(statuses) == {200}
    said = read_results(installation.db, before)
    assert read_results(installation.db, again) == said
    assert {path: one[0] for path, one in read_results(installation.db, after).items()} == _swapped(said)
    assert sorted(installation.wait_for_workers()) == sorted(workers)
