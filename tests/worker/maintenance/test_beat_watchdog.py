"""Beat that ends or stands still ends its worker, which is then started again; a broker that is away does not."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from celery.signals import task_received
from structlog.testing import capture_logs

from core.base.config import Settings
from tests.support.paths import ROOT
from tests.support.processes import is_alive
from tests.support.waiting import until
from worker.maintenance import beat_watchdog
from worker.maintenance.beat_watchdog import BeatWatchdog

SILENCE_S = 40.0
WORKER = """
import sys, time
from billiard import get_context
from core.base.config import Settings
from worker.maintenance import beat_watchdog

if __name__ == "__main__":
    beat_watchdog.CHECK_S = 0.05
    beat = get_context("spawn").Process(target=time.sleep, args=(3600,))
    beat.start()
    print(beat.pid, flush=True)
    sys.stdin.readline()
    beat_watchdog.BeatWatchdog(beat, Settings(_env_file=None, redis_url=sys.argv[1]), silence_s=0.2).start()
    time.sleep(3600)
"""


def test_a_beat_that_stands_still_is_killed_together_with_its_worker(tmp_path: Path, redis_url: str) -> None:
    file = tmp_path / "small_worker.py"
    file.write_text(WORKER)
    with subprocess.Popen(
        [sys.executable, str(file), redis_url],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as worker:
        assert worker.stdout is not None
        pid = int(worker.stdout.readline())
        os.kill(pid, signal.SIGSTOP)
        said, _ = worker.communicate("go\n")
    assert worker.returncode == 1
    assert "beat_silent" in said
    until(lambda: not is_alive(pid))  # it was killed just now


class World:
    """A clock that moves only while the watch sleeps, a beat to watch, and a record of kills and exits."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.is_beating = True
        self.pid = 2**30
        self.killed: list[int] = []
        self.exits: list[int] = []
        self.then: Callable[[], None] = lambda: None

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.then()

    def is_alive(self) -> bool:
        return self.is_beating

    def kill(self, pid: int, number: int) -> None:
        assert number == signal.SIGKILL
        self.killed.append(pid)

    def watch(self, redis_url: str) -> tuple[str, float]:
        """Run a watch until it ends the process; returns the last event it logged and the seconds it ran."""
        began = self.now
        watch = BeatWatchdog(self, Settings(_env_file=None, redis_url=redis_url), SILENCE_S)  # type: ignore[call-arg]
        with capture_logs() as logs:
            watch.start()
            until(lambda: self.exits)
        task_received.disconnect(watch._note_tick)
        assert self.exits == [1]
        return logs[-1]["event"], self.now - began


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(beat_watchdog, "time", made)
    monkeypatch.setattr(os, "kill", made.kill)
    monkeypatch.setattr(os, "_exit", made.exits.append)
    return made


def hear() -> None:
    task_received.send(sender=None)


def test_a_beat_of_which_nothing_is_heard_is_killed_after_the_silence(world: World, redis_url: str) -> None:
    event, after_s = world.watch(redis_url)
    assert (event, world.killed) == ("beat_silent", [world.pid])
    assert SILENCE_S < after_s <= SILENCE_S + 2 * beat_watchdog.CHECK_S


def test_a_beat_that_is_heard_lives_until_it_ends(world: World, redis_url: str) -> None:
    """It runs for twice the allowed silence, with pauses just under it; then it ends, and the worker with it."""
    began = world.now

    def then() -> None:
        since = world.now - began
        if since % (SILENCE_S - 2) == 0:
            hear()
        world.is_beating = since < 2 * SILENCE_S

    world.then = then
    assert world.watch(redis_url) == ("beat_died", 2 * SILENCE_S)


def test_a_worker_that_stood_still_itself_waits_for_the_next_tick(world: World, redis_url: str) -> None:
    began = world.now

    def then() -> None:
        if world.now == began + 10:
            world.now += 3 * SILENCE_S
        world.is_beating = world.now < began + 10 + 4 * SILENCE_S - 2

    world.then = then
    assert world.watch(redis_url) == ("beat_died", 10 + 4 * SILENCE_S - 2)


def test_while_the_broker_is_away_nothing_can_be_heard(world: World) -> None:
    began = world.now

    def then() -> None:
        world.is_beating = world.now < began + 3 * SILENCE_S

    world.then = then
    assert world.watch("redis://127.0.0.1:9/0") == ("beat_died", 3 * SILENCE_S)
