"""A backup of a running installation, restored elsewhere: a job under way ends there with the same results."""

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.storage.blobs import Blobs
from tests.support.deadlines import within
from tests.support.installation import QUICK, START_S, Installation
from tests.support.photographs import make_shards
from tests.support.postgresql import Databases
from tests.support.soundness import check_sound, read_results

DATABASES = ("postgresql",)
COMMAND_S = 60.0


def run(installation: Installation, *words: str) -> None:
    """Run a command on the data directory of an installation."""
    command = [sys.executable, "-m", "pawsort.cli", *words]
    done = subprocess.run(
        command, env=installation.environment, capture_output=True, text=True, timeout=within(COMMAND_S), check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def check_restored(installation: Installation, elsewhere: Installation, backups: Path) -> None:
    """Back up in a job, restore elsewhere: the job ends on both sides, with equal results and originals."""
    upload = installation.send(make_shards(4, 4))
    with installation.holding():
        job = installation.classify(upload)
        installation.wait_under_way(job)
        run(installation, "backup", str(backups))
    installation.wait_for_job(job, START_S)
    elsewhere.data_dir.mkdir()
    run(elsewhere, "restore", str(backups))
    try:
        elsewhere.start()
        elsewhere.wait_for_job(job, START_S)
        check_sound(elsewhere.db, job)
        assert read_results(elsewhere.db, job) == read_results(installation.db, job)
        assert digests(elsewhere, upload) == digests(installation, upload)
        elsewhere.stop()
    finally:
        elsewhere.close()


def digests(installation: Installation, upload: str) -> dict[str, str]:
    """SHA-256 of each shard of an upload, as it is in the store."""
    blobs = Blobs(installation.record.blob_url)
    keys = sorted(key for key, _ in blobs.list(f"uploads/{upload}") if key.endswith(".tar"))
    assert len(keys) == 4
    return {key: hashlib.sha256(blobs.get(key)).hexdigest() for key in keys}


@pytest.mark.slow
def test_a_job_that_was_under_way_ends_in_the_restored_installation(installation: Installation, tmp_path: Path) -> None:
    check_restored(installation, Installation(tmp_path / "elsewhere", **QUICK), tmp_path / "backups")


@pytest.fixture
def other_sql_url(postgresql: Databases) -> Iterator[str]:
    """The address of another database."""
    with postgresql.one() as address:
        yield address


@pytest.mark.slow
def test_a_job_that_was_under_way_on_servers_ends_on_others(
    sql_url: str, other_sql_url: str, s3: str, tmp_path: Path
) -> None:
    there = {"PAWSORT_DATABASE_URL": other_sql_url, "PAWSORT_BLOB_URL": f"{s3}/there"}
    here = {"PAWSORT_DATABASE_URL": sql_url, "PAWSORT_BLOB_URL": f"{s3}/here"}
    with Installation.running(tmp_path / "here", **QUICK, **here) as one:
        check_restored(one, Installation(tmp_path / "there", **QUICK, **there), tmp_path / "backups")
