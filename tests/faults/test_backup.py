"""A backup of a running installation, restored elsewhere: a job under way ends there with the same results."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.deadlines import within
from tests.support.installation import QUICK, START_S, Installation
from tests.support.photographs import make_shards
from tests.support.soundness import check_sound, read_results

COMMAND_S = 60.0


def run(installation: Installation, *words: str) -> None:
    """Run a command on the data directory of an installation."""
    command = [sys.executable, "-m", "pawsort.cli", *words]
    done = subprocess.run(
        command, env=installation.environment, capture_output=True, text=True, timeout=within(COMMAND_S), check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_a_job_that_was_under_way_ends_in_the_restored_installation(installation: Installation, tmp_path: Path) -> None:
    upload = installation.send(make_shards(4, 4))
    with installation.holding():
        job = installation.classify(upload)
        installation.wait_under_way(job)
        run(installation, "backup", str(tmp_path / "backups"))
    installation.wait_for_job(job, START_S)
    elsewhere = Installation(tmp_path / "elsewhere", **QUICK)
    elsewhere.data_dir.mkdir()
    run(elsewhere, "restore", str(tmp_path / "backups"))
    try:
        elsewhere.start()
        elsewhere.wait_for_job(job, START_S)
        check_sound(elsewhere.db, job)
        assert read_results(elsewhere.db, job) == read_results(installation.db, job)
        elsewhere.stop()
    finally:
        elsewhere.close()
