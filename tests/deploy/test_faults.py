"""Everything that can go away goes away, in the middle of one job of 10,000: the services of docker-compose.yml."""

import csv
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from core.base.database import Database
from core.base.states import JobState
from core.orm.jobs import Job
from core.orm.results import Result
from tests.support import compose, waiting
from tests.support.compose_stack import START_S, Stack
from tests.support.deadlines import within
from tests.support.installation import END_S
from tests.support.pictures import jpeg
from tests.support.soundness import check_sound

N_IMAGES = 10_000
PAUSE_S = "3"  # of a worker after each claim, so that the job lasts longer than all faults
S3_AWAY_S = 30.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timed,
    pytest.mark.skipif(compose.missing("nginx"), reason="nginx is not installed"),
]


@pytest.fixture
def stack() -> Iterator[Stack]:
    """Two web processes, three inference workers, two maintenance workers, and all servers."""
    compose.tool("docker-compose")
    quick = {"PAWSORT_DEFAULT_NETWORK": "seed-cnn"}  # what is tested is not how fast a network is
    one = Stack({"PAWSORT_INFERENCE_PROCESSES": "1", "PAWSORT_WEB_PROCESSES": "2", **quick})
    one.services["inference"]["environment"]["PAWSORT_PAUSE_AFTER_CLAIM_S"] = PAUSE_S
    try:
        one.start()
        for name, replica in (("inference", "#2"), ("inference", "#3"), ("maintenance", "#2")):
            one.begin(name, replica)
        yield one
    finally:
        one.close()


def wait_for(find: Callable[[], object], seconds: float, what: str, stack: Stack) -> None:
    def logs() -> str:
        return "\n".join(stack.log(name) for name in ("inference", "maintenance", "web"))

    waiting.until(find, seconds, what, logs)


def kill_a_worker(stack: Stack) -> None:
    stack.kill("inference#2")
    stack.begin("inference", "#2")


def replace_valkey(stack: Stack) -> None:
    stack.kill("redis")
    shutil.rmtree(stack.mounts("redis")["/data"])
    stack.begin("redis")
    stack.wait_healthy("redis")


def restart_postgresql(stack: Stack) -> None:
    stack.stop("postgres")
    stack.begin("postgres")
    stack.wait_healthy("postgres")


def take_s3_away(stack: Stack) -> None:
    stack.kill("s3")
    time.sleep(S3_AWAY_S)
    stack.begin("s3")
    stack.wait_healthy("s3")


def test_a_job_of_10000_survives_everything(stack: Stack, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(N_IMAGES):
        (folder / f"{number:05}.jpg").write_bytes(jpeg(number, size=(48, 36)) + str(number).encode())
    token = stack.run("web", "pawsort", "token", "create").stdout.strip()
    server = f"http://127.0.0.1:{stack.port('proxy')}"
    out = tmp_path / "out.csv"
    command = ["pawsort", "classify", str(folder), "-o", str(out), "--server", server, "--token", token]
    environment = {**stack.environment("web"), "NO_PROXY": "*"}
    sender = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    db = Database(stack.value("web", "PAWSORT_DATABASE_URL"))

    def read(query: object) -> object:
        with db.read() as session:
            return session.scalar(query)  # type: ignore[call-overload]

    try:
        for fault in (kill_a_worker, replace_valkey, restart_postgresql, take_s3_away):
            n_before = len_of_results(db)
            wait_for(lambda n=n_before: len_of_results(db) > n, START_S, f"results before {fault.__name__}", stack)
            assert read(select(Job.state)) in (JobState.RECEIVING, JobState.RUNNING), "it ended before the faults"
            fault(stack)
        last_fault_at = time.monotonic()
        n_left = N_IMAGES - len_of_results(db)
        wait_for(lambda: read(select(Job.state)) == JobState.DONE, END_S, "the job to be done", stack)
        print(f"{n_left} images were left after the last fault; done {time.monotonic() - last_fault_at:.0f} s after it")
        said, _ = sender.communicate(timeout=within(END_S))
    finally:
        sender.kill()
    assert sender.returncode == 0, said
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["path"] for row in rows] == [f"many/{number:05}.jpg" for number in range(N_IMAGES)]
    assert {row["error_code"] for row in rows} == {""}
    check_sound(db, str(read(select(Job.uuid))))
    db.close()


def len_of_results(db: Database) -> int:
    with db.read() as session:
        return len(session.scalars(select(Result.image_id)).all())
