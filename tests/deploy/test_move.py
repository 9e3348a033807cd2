"""`pawsort move` for real: from a machine whose job is under way into the servers of docker-compose.yml."""

import subprocess
from pathlib import Path

import pytest

from core.base.database import Database
from tests.support import compose
from tests.support.compose_stack import START_S, Stack
from tests.support.deadlines import within
from tests.support.factories import make_tar
from tests.support.installation import QUICK, Installation
from tests.support.pictures import jpeg
from tests.support.soundness import check_sound, read_results

N_SHARDS, N_EACH = 20, 250


@pytest.mark.slow
def test_a_job_of_5000_that_is_under_way_ends_on_the_other_side(tmp_path: Path) -> None:
    compose.tool("docker-compose")
    here = Installation(tmp_path / "here", **QUICK)
    there = Stack({"PAWSORT_INFERENCE_PROCESSES": "2"})
    try:
        here.start()
        job = send(here)
        here.wait_for(lambda: read_results(here.db, job), START_S, "first results")
        before = read_results(here.db, job)
        assert 0 < len(before) < N_SHARDS * N_EACH
        here.stop()
        there.start("postgres", "redis", "bucket")
        there.wait_completed("bucket")
        move = ["pawsort", "move", "--data", str(here.data_dir)]
        interrupt(there, move)
        said = there.run("migrate", *move)
        assert said.returncode == 0, said.stdout + said.stderr
        assert "Resuming an interrupted move." in said.stderr
        there.start("web", "inference", "maintenance")
        db = Database(there.value("web", "PAWSORT_DATABASE_URL"))
        here.wait_for(lambda: len(read_results(db, job)) == N_SHARDS * N_EACH, START_S, "the job to end there")
        check_sound(db, job)
        after = read_results(db, job)
        assert before.items() <= after.items()
        db.close()
    finally:
        here.close()
        there.close()


def send(here: Installation) -> str:
    files = [(f"many/{number:04}.jpg", jpeg(number, size=(48, 36))) for number in range(N_SHARDS * N_EACH)]
    shards = [make_tar(files[start : start + N_EACH]) for start in range(0, len(files), N_EACH)]
    return here.classify(here.send(shards))


def interrupt(there: Stack, command: list[str]) -> None:
    """Kill a move when it has copied the first blobs."""
    with subprocess.Popen(command, env=there.environment("migrate"), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "blobs," in line:
                process.kill()
                break
        process.wait(within(START_S))
    assert process.returncode != 0
