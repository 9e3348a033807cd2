"""Several hosts, each a container with a network of its own, and a cable to cut, to silence or to lose packets on.

Two webs, three inference hosts and two maintenance hosts. Faults come in a random order that the seed repeats:
PAWSORT_CLUSTER_SEED.
"""

import os
import random
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.containers.project import Project
from tests.containers.work import Job, seconds_to_end

HOSTS = {"web": 2, "inference": 3, "maintenance": 2}
SERVERS = ("postgres", "redis", "s3")
AWAY_S = 30.0
LOSS = "0.05"
SEED = int(os.environ.get("PAWSORT_CLUSTER_SEED", "1"))


@pytest.fixture(scope="module")
def cluster(project: Project) -> Iterator[Project]:
    """The installation with several hosts of each kind."""
    project.start(*scaled(HOSTS))
    yield project
    project.start(*scaled(dict.fromkeys(HOSTS, 1)))


def scaled(hosts: dict[str, int]) -> list[str]:
    return [part for service, n in hosts.items() for part in ("--scale", f"{service}={n}")]


class Cluster:
    """What can happen to hosts and cables."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._random = random.Random(SEED)

    def pick(self, *services: str) -> str:
        """One host of these kinds."""
        return self._random.choice([one for service in services for one in self._project.containers(service)])

    @contextmanager
    def cut(self, service: str) -> Iterator[None]:
        """A cable is cut: nothing gets through, and the host knows."""
        container = self.pick(service)
        networks = list(self._project.inspect(container)["NetworkSettings"]["Networks"])
        for network in networks:
            self._project.engine.run("network", "disconnect", network, container)
        yield
        for network in networks:
            self._project.engine.run("network", "connect", "--alias", service, network, container)

    @contextmanager
    def freeze(self, service: str) -> Iterator[None]:
        """A host stands still: its connections stay open, and nobody answers."""
        container = self.pick(service)
        self._project.engine.run("pause", container)
        yield
        self._project.engine.run("unpause", container)

    @contextmanager
    def silence(self, service: str, *rule: str) -> Iterator[None]:
        """Packets to a host are lost without a word: all of them, or those of a rule."""
        container = self.pick(service)
        self._filter(container, "--append", *rule)
        yield
        self._filter(container, "--delete", *rule)

    def _filter(self, container: str, change: str, *rule: str) -> None:
        pid = str(self._project.inspect(container)["State"]["Pid"])
        command = ["nsenter", "--target", pid, "--net", "iptables", change, "INPUT", "!", "-i", "lo", *rule]
        subprocess.run([*command, "-j", "DROP"], check=True)

    @contextmanager
    def lose_packets(self) -> Iterator[None]:
        """Each host loses one packet in twenty."""
        rule = ("-m", "statistic", "--mode", "random", "--probability", LOSS)
        containers = [one for service in (*HOSTS, *SERVERS) for one in self._project.containers(service)]
        for container in containers:
            self._filter(container, "--append", *rule)
        yield
        for container in containers:
            self._filter(container, "--delete", *rule)

    @contextmanager
    def vanish(self, service: str) -> Iterator[None]:
        """A host is gone; another one takes its place."""
        self._project.engine.run("rm", "--force", self.pick(service))
        yield
        self._project.compose("up", "--detach", "--no-build", "--no-recreate", *scaled(HOSTS))

    @contextmanager
    def empty_valkey(self) -> Iterator[None]:
        """Valkey loses everything."""
        secret = "REDISCLI_AUTH=$(cat /run/secrets/redis_admin_password) valkey-cli flushall"
        self._project.execute("redis", "sh", "-c", secret)
        yield


FAULTS: dict[str, Callable[[Cluster], object]] = {
    **{f"cut {one}": lambda cluster, one=one: cluster.cut(one) for one in (*HOSTS, *SERVERS)},
    **{f"freeze {one}": lambda cluster, one=one: cluster.freeze(one) for one in (*HOSTS, *SERVERS)},
    **{f"silence {one}": lambda cluster, one=one: cluster.silence(one) for one in ("inference", *SERVERS)},
    **{f"vanish {one}": lambda cluster, one=one: cluster.vanish(one) for one in HOSTS},
    "lose packets": Cluster.lose_packets,
    "empty valkey": Cluster.empty_valkey,
}


@pytest.mark.cluster
@pytest.mark.parametrize("name", random.Random(SEED).sample(sorted(FAULTS), len(FAULTS)))
def test_a_job_survives(cluster: Project, pictures: Path, undisturbed: list[str], name: str, tmp_path: Path) -> None:
    with Job(cluster, pictures, tmp_path / "out.csv") as job:
        job.wait_for_results()
        with FAULTS[name](Cluster(cluster)):  # type: ignore[attr-defined]
            time.sleep(AWAY_S)
        print(f"{name}: done {seconds_to_end(job, undisturbed):.0f} s after the fault")
    cluster.wait_healthy()
