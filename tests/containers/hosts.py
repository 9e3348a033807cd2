"""What can happen to hosts and cables: each host is a container with a network of its own."""

import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.containers.engine import HERE
from tests.containers.project import START_S, Project
from tests.support.paths import ROOT
from tests.support.waiting import until

HOSTS = {"web": 2, "inference": 3, "maintenance": 2}
SERVERS = ("postgres", "redis", "s3")
SHIFTED = ("inference-fast", "maintenance-slow")
LOST = "0.05"
DELAY_S = 0.1  # of what each host receives: 200 ms until an answer comes


def scaled(hosts: dict[str, int]) -> list[str]:
    """How many hosts of each kind, as Docker Compose wants to read it."""
    return [part for service, n in hosts.items() for part in ("--scale", f"{service}={n}")]


class Hosts:
    """The hosts of an installation. Each fault is over when its block ends.

    Args:
        chance: Chooses the hosts.
    """

    def __init__(self, project: Project, chance: random.Random) -> None:
        self.project = project
        self._chance = chance

    def pick(self, service: str) -> str:
        """One host of this kind."""
        return self._chance.choice(sorted(self.project.containers(service)))

    @contextmanager
    def cut(self, service: str) -> Iterator[None]:
        """A cable is cut: nothing gets through, and the host knows."""
        container = self.pick(service)
        networks = list(self.project.inspect(container)["NetworkSettings"]["Networks"])
        for network in networks:
            self.project.unplug(container, network)
        yield
        for network in networks:
            self.project.plug_in(container, service, network)

    @contextmanager
    def freeze(self, service: str) -> Iterator[None]:
        """A host stands still: its connections stay open, and nobody answers."""
        container = self.pick(service)
        self.project.engine.run("pause", container)
        yield
        self.project.engine.run("unpause", container)

    @contextmanager
    def silence(self, service: str) -> Iterator[None]:
        """What is sent to a host is lost without a word."""
        with self._rule(self.pick(service), "-j", "DROP"):
            yield

    @contextmanager
    def refuse(self, service: str) -> Iterator[None]:
        """A host refuses every connection."""
        with self._rule(self.pick(service), "-p", "tcp", "-j", "REJECT", "--reject-with", "tcp-reset"):
            yield

    @contextmanager
    def crash(self, service: str) -> Iterator[None]:
        """A host loses its power and starts again: to others their connections to it are still open."""
        container = self.pick(service)
        self._iptables(container, "--append", "INPUT", "-j", "DROP")
        self._iptables(container, "--append", "OUTPUT", "-j", "DROP")
        self.project.engine.run("kill", container)
        yield
        self.project.engine.run("start", container)

    @contextmanager
    def vanish(self, service: str) -> Iterator[None]:
        """A host is gone; another one takes its place."""
        self.project.engine.run("rm", "--force", self.pick(service))
        yield
        self.project.compose("up", "--detach", "--no-build", "--no-recreate", *scaled(HOSTS))

    @contextmanager
    def lose_packets(self) -> Iterator[None]:
        """Each host loses one packet in twenty."""
        with ExitStack() as rules:
            for container in self._all():
                rules.enter_context(
                    self._rule(container, "-m", "statistic", "--mode", "random", "--probability", LOST, "-j", "DROP")
                )
            yield

    @contextmanager
    def delay(self) -> Iterator[None]:
        """The hosts are far away from each other."""
        with ExitStack() as stack:
            for container in self._all():
                command = [*self._network_of(container), sys.executable, str(HERE / "delay.py"), str(DELAY_S)]
                cable = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE))
                stack.callback(cable.terminate)
                assert cable.stdout is not None
                assert cable.stdout.readline() == b"ready\n"
                stack.enter_context(self._rule(container, "-j", "NFQUEUE", "--queue-num", "0"))
            yield

    @contextmanager
    def shift_clocks(self) -> Iterator[None]:
        """Only workers remain whose clocks are half an hour apart: one fast, one slow. S3 allows no more."""
        clocks = (ROOT / "tests" / "containers" / "clocks.yml",)
        others = [one for service in ("inference", "maintenance") for one in self.project.containers(service)]
        self.project.engine.run("kill", *others)
        up = ("up", "--detach", "--no-build", "--no-deps")
        try:
            self.project.compose(*up, *SHIFTED, files=clocks)
            logs = ("logs", "--no-color", "inference-fast")
            has_done = "a chunk to be done"
            until(lambda: "chunk_done" in self.project.compose(*logs, files=clocks).stdout, START_S, has_done)
            yield
        finally:
            self.project.engine.run("start", *others)
            self.project.compose("rm", "--stop", "--force", *SHIFTED, files=clocks)

    @contextmanager
    def empty_valkey(self) -> Iterator[None]:
        """Valkey loses everything."""
        secret = "REDISCLI_AUTH=$(cat /run/secrets/redis_admin_password) valkey-cli flushall"
        self.project.execute("redis", "sh", "-c", secret)
        yield

    def _all(self) -> list[str]:
        return [one for service in (*HOSTS, *SERVERS) for one in self.project.containers(service)]

    @contextmanager
    def _rule(self, container: str, *rule: str) -> Iterator[None]:
        """For what comes over the cable of a host."""
        self._iptables(container, "--append", "INPUT", "!", "-i", "lo", *rule)
        yield
        self._iptables(container, "--delete", "INPUT", "!", "-i", "lo", *rule)

    def _iptables(self, container: str, *words: str) -> None:
        subprocess.run([*self._network_of(container), "iptables", "--wait", *words], check=True)

    def _network_of(self, container: str) -> list[str]:
        pid = str(self.project.inspect(container)["State"]["Pid"])
        return ["nsenter", "--target", pid, "--net"]
