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
from tests.containers.project import Project
from tests.containers.work import Job, seconds_to_end

AWAY_S = 20.0  # longer than a lease
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
def cluster(project: Project) -> Iterator[Project]:
    """The installation with several hosts of each kind."""
    images.build_stand_in(project.engine, "pawsort-test-clock", base="pawsort-worker")
    project.start(*scaled(HOSTS))
    yield project
    project.start(*scaled(dict.fromkeys(HOSTS, 1)))


@pytest.mark.parametrize("name", random.Random(SEED).sample(sorted(FAULTS), len(FAULTS)))
def test_a_job_survives(cluster: Project, pictures: Path, undisturbed: list[str], name: str, tmp_path: Path) -> None:
    hosts = Hosts(cluster, random.Random(f"{SEED} {name}"))
    with Job(cluster, pictures, tmp_path / "out.csv") as job:
        job.wait_until_sent()
        with FAULTS[name](hosts):
            time.sleep(AWAY_S)
        print(f"{name}: done {seconds_to_end(job, undisturbed):.0f} s after the fault")
    cluster.wait_healthy()


def test_the_doctor_finds_nothing_wrong_afterwards(cluster: Project) -> None:
    cluster.start(*scaled(HOSTS))  # workers that ended without a word are written off
    doctor = cluster.execute("web", "pawsort", "doctor", check=False)
    assert doctor.returncode == 0, doctor.stdout
