"""Faults in the middle of a job of a thousand pictures; each time its results equal those of an undisturbed run."""

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from tests.containers import images
from tests.containers.project import Project, stop_seconds
from tests.containers.work import Job, seconds_to_end
from tests.support import compose
from tests.support.deadlines import within

CUT_S = 30.0
N_REQUESTS = 60


def kill_every_process(project: Project) -> None:
    """SIGKILL for the main process of each container; the engine starts it again."""
    for service in ("proxy", "web", "inference", "training", "maintenance", "redis", "s3", "postgres"):
        (container,) = project.containers(service)
        os.kill(project.inspect(container)["State"]["Pid"], signal.SIGKILL)


def lose_a_worker_and_scale(project: Project) -> None:
    project.compose("kill", "inference")
    project.compose(
        "up",
        "--detach",
        "--no-build",
        "--no-recreate",
        "--scale",
        "inference=2",
        "--scale",
        "web=2",
        "inference",
        "web",
    )


def cut_inference(project: Project) -> None:
    project.cut("inference", CUT_S)


def cut_redis(project: Project) -> None:
    project.cut("redis", CUT_S)


def cut_postgres(project: Project) -> None:
    project.cut("postgres", CUT_S)


def cut_s3(project: Project) -> None:
    project.cut("s3", CUT_S)


def stop_and_start(project: Project) -> None:
    project.compose("stop")
    project.start()


def go_down_and_up(project: Project) -> None:
    project.compose("down")
    project.start()


FAULTS = (
    kill_every_process,
    lose_a_worker_and_scale,
    cut_inference,
    cut_redis,
    cut_postgres,
    cut_s3,
    stop_and_start,
    go_down_and_up,
)


def survive(
    project: Project, pictures: Path, undisturbed: list[str], fault: Callable[[Project], object], out: Path
) -> None:
    with Job(project, pictures, out) as job:
        job.wait_for_results()
        begun = time.monotonic()
        fault(project)
        lasted_s = time.monotonic() - begun
        print(f"{fault.__name__}: lasted {lasted_s:.0f} s, done {seconds_to_end(job, undisturbed):.0f} s later")
    project.wait_healthy()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_job_survives(
    project: Project, pictures: Path, undisturbed: list[str], fault: Callable[[Project], None], tmp_path: Path
) -> None:
    survive(project, pictures, undisturbed, fault, tmp_path / "out.csv")
    project.compose("up", "--detach", "--no-build", "--scale", "inference=1", "--scale", "web=1")
    project.wait_healthy()


def test_a_job_survives_an_upgrade(project: Project, pictures: Path, undisturbed: list[str], tmp_path: Path) -> None:
    """With other images all containers of ours are replaced, after the schema is migrated."""
    for name, target in images.OWN.items():
        images.build_own(project.engine, name, target, "--label", f"version={time.time()}")
    survive(project, pictures, undisturbed, Project.start, tmp_path / "out.csv")


def test_no_request_fails_while_one_of_two_webs_restarts(project: Project) -> None:
    project.compose("up", "--detach", "--no-build", "--wait", "--scale", "web=2", "web")
    try:
        with ThreadPoolExecutor(1) as executor, httpx2.Client(base_url=project.server, trust_env=False) as http:
            restart = executor.submit(project.engine.run, "restart", "--time", "15", project.containers("web")[0])
            answers = []
            while len(answers) < N_REQUESTS or not restart.done():
                begun = time.monotonic()
                answers.append((http.get("/healthz", timeout=15).status_code, time.monotonic() - begun))
                time.sleep(0.1)
        assert {status for status, _ in answers} == {200}
        assert max(seconds for _, seconds in answers) < within(5)
    finally:
        project.compose("up", "--detach", "--no-build", "--scale", "web=1", "web")
        project.wait_healthy()


@pytest.mark.parametrize("service", ["proxy", "web", "inference", "training", "maintenance", "redis", "s3", "postgres"])
def test_a_service_ends_in_half_of_its_grace(project: Project, service: str) -> None:
    (container,) = project.containers(service)
    grace_s = compose.seconds(project.services[service]["stop_grace_period"])
    try:
        seconds = stop_seconds(project, service)
        print(f"{service} ended in {seconds:.0f} of {grace_s:.0f} s")
        assert seconds < max(grace_s / 2, grace_s - 8)
        assert project.inspect(container)["State"]["ExitCode"] != 137
    finally:
        project.start()
