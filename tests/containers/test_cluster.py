"""Two webs, three inference hosts and two maintenance hosts, with servers on hosts of their own; cables between them.

Faults come in a random order that the seed repeats: PAWSORT_TEST_SEED.
"""

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.containers import images, standby
from tests.containers.hosts import HOSTS, SERVERS, Hosts, scaled
from tests.containers.project import PAUSE_S, Project
from tests.containers.work import Job, draw_pictures, seconds_to_end

AWAY_S = 20.0  # longer than a lease
N_PICTURES = 2_250  # 9 chunks
LONG_PAUSE_S = 14.0  # three hosts need more than a minute for a job
SEED = int(os.environ.get("PAWSORT_TEST_SEED", "1"))

FAULTS: dict[str, Callable[[Hosts], AbstractContextManager[None]]] = {
    **{f"cut {one}": lambda hosts, one=one: hosts.cut(one) for one in (*HOSTS, *SERVERS)},
    **{f"freeze {one}": lambda hosts, one=one: hosts.freeze(one) for one in ("web", "inference", "postgres")},
    **{f"silence {one}": lambda hosts, one=one: hosts.silence(one) for one in ("inference", *SERVERS)},
    **{f"crash {one}": lambda hosts, one=one: hosts.crash(one) for one in ("inference", *SERVERS)},
    **{f"vanish {one}": lambda hosts, one=one: hosts.vanish(one) for one in HOSTS},
    "refuse s3": lambda hosts: hosts.refuse("s3"),
    "lose packets": Hosts.lose_packets,
    "delay": Hosts.delay,
    "shift clocks": Hosts.shift_clocks,
    "empty valkey": Hosts.empty_valkey,
    "fail over": lambda hosts: standby.taken_over(hosts.project),
}

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def project(project: Project) -> Iterator[Project]:
    """The installation with several hosts of each kind."""
    images.build_stand_in(project.engine, "pawsort-test-clock", base="pawsort-worker")
    project.pause_after_claims(LONG_PAUSE_S)
    project.start(*scaled(HOSTS))
    yield project
    project.pause_after_claims(PAUSE_S)
    project.start(*scaled(dict.fromkeys(HOSTS, 1)))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pictures for jobs that last longer than the faults."""
    return draw_pictures(tmp_path_factory.mktemp("cluster") / "pictures", N_PICTURES)


@pytest.mark.parametrize("name", random.Random(SEED).sample(sorted(FAULTS), len(FAULTS)))
def test_a_job_survives(project: Project, pictures: Path, undisturbed: list[str], name: str, tmp_path: Path) -> None:
    hosts = Hosts(project, random.Random(f"{SEED} {name}"))
    with Job(project, pictures, tmp_path / "out.csv") as job:
        n_before, begun = job.wait_for_results(), time.monotonic()
        with FAULTS[name](hosts):
            time.sleep(AWAY_S)
        lasted_s, n_after = time.monotonic() - begun, job.wait_for_results()
        end_s = seconds_to_end(job, undisturbed)
        print(f"{name}: {n_before} done before, {n_after} after {lasted_s:.0f} s, all {end_s:.0f} s later")
    project.wait_healthy()


def test_the_doctor_finds_nothing_wrong_afterwards(project: Project) -> None:
    project.start(*scaled(HOSTS))  # workers that ended without a word are written off
    doctor = project.execute("web", "pawsort", "doctor", check=False)
    assert doctor.returncode == 0, doctor.stdout
