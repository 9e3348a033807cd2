"""A rolling upgrade for real: an old worker works on a job while new migrations run and a new web serves.

The old code is what was there before the newest migration came, taken from the history of this checkout.
"""

import io
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from alembic.script import ScriptDirectory

from core.base.database import Database
from migrations.run import make_config
from pawsort.client.pawsort import Pawsort
from tests.support import compose
from tests.support.compose_stack import START_S, Stack
from tests.support.factories import make_tar
from tests.support.paths import ROOT
from tests.support.pictures import jpeg
from tests.support.soundness import check_sound, read_results
from tests.support.waiting import until

OURS = ("migrate", "web", "inference", "maintenance")
N_CHUNKS, N_EACH = 40, 25
PAUSE_S = "6"  # of the old worker after each claim: its job lasts for as long as the upgrade takes

pytestmark = [pytest.mark.slow, pytest.mark.timed]


def git(*words: str) -> bytes:
    program = shutil.which("git")
    if program is None or not (ROOT / ".git").exists():
        pytest.skip("the old code is taken from the history, which is not here")
    return subprocess.run([program, "-C", str(ROOT), *words], capture_output=True, check=True).stdout


@pytest.fixture
def old_code(tmp_path: Path) -> Path:
    """The code before the newest migration."""
    newest = next(ScriptDirectory.from_config(make_config()).walk_revisions())
    if not newest.module.runs_beside_old_workers:
        pytest.skip(f"old workers must be stopped before migration {newest.revision}")
    added = git("log", "-1", "--format=%H", "--diff-filter=A", "--", str(Path(newest.path).relative_to(ROOT)))
    if not added.strip():
        pytest.skip("the newest migration is not committed, or the history is cut off")
    with tarfile.open(fileobj=io.BytesIO(git("archive", f"{added.decode().strip()}^"))) as archive:
        archive.extractall(tmp_path / "old", filter="data")
    return tmp_path / "old"


@pytest.fixture
def stack(old_code: Path) -> Iterator[Stack]:
    """All servers, and our services with the old code."""
    compose.tool("docker-compose")
    one = Stack({"PAWSORT_INFERENCE_PROCESSES": "1", "PAWSORT_DEFAULT_NETWORK": "seed-cnn"})
    for name in OURS:
        one.services[name]["environment"]["PYTHONPATH"] = f"{old_code}:{old_code / 'client'}"
    one.services["inference"]["environment"]["PAWSORT_PAUSE_AFTER_CLAIM_S"] = PAUSE_S
    try:
        one.start("web", "inference", "maintenance")
        yield one
    finally:
        one.close()


def use_new_code(stack: Stack) -> None:
    """For what starts from now on."""
    for name in OURS:
        del stack.services[name]["environment"]["PYTHONPATH"]
    del stack.services["inference"]["environment"]["PAWSORT_PAUSE_AFTER_CLAIM_S"]


def test_old_workers_work_on_a_job_while_new_migrations_run_and_a_new_web_serves(stack: Stack) -> None:
    token = stack.run("web", "pawsort", "token", "create").stdout.strip()
    db = Database(stack.value("migrate", "PAWSORT_DATABASE_URL"))
    with Pawsort(f"http://127.0.0.1:{stack.port('web')}", token) as client:
        upload, job = send(client)
        wait_for_more_results(stack, db, job)
        old_schema = db.ping()
        use_new_code(stack)
        stack.begin("migrate")
        stack.wait_completed("migrate")
        assert db.ping() != old_schema
        wait_for_more_results(stack, db, job)
        stack.stop("web")
        stack.begin("web")
        stack.wait_healthy("web")
        wait_for_more_results(stack, db, job)
        assert client.jobs.get(job).state == "running", "it ended before the new web served"
        for name in ("inference", "maintenance"):
            stack.begin(name, "#new")
            stack.stop(name)
        wait_for_end(stack, client, job)
        check_sound(db, job)
        again = start_job(client, upload)
        wait_for_end(stack, client, again)
        assert read_results(db, job) == read_results(db, again)
    db.close()


def send(client: Pawsort) -> tuple[str, str]:
    """Upload many small shards and start a job over them; returns both ids."""
    upload = str(uuid4())
    client.uploads.create(upload, name="many")
    for seq in range(N_CHUNKS):
        numbers = range(seq * N_EACH, (seq + 1) * N_EACH)
        files = [(f"many/{number:04}.jpg", jpeg(number, size=(48, 36))) for number in numbers]
        client.uploads.put_shard(upload, seq, make_tar(files))
    client.uploads.complete(upload, N_CHUNKS)
    return upload, start_job(client, upload)


def start_job(client: Pawsort, upload: str) -> str:
    job = str(uuid4())
    client.jobs.create(job, upload=upload)
    return job


def wait_for_more_results(stack: Stack, db: Database, job: str) -> None:
    n_before = len(read_results(db, job))
    until(
        lambda: len(read_results(db, job)) > n_before,
        START_S,
        f"more than {n_before} results",
        lambda: stack.log("inference"),
    )


def wait_for_end(stack: Stack, client: Pawsort, job: str) -> None:
    until(lambda: client.jobs.get(job).state == "done", START_S, "the job to end", lambda: stack.log("inference#new"))
