"""Beat that ends or stands still ends its worker, which is then started again; a broker that is away does not."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
SILENCE_S = 2.0
WORKER = """
import sys, time
from billiard import get_context
from celery.signals import task_received
from core.base.config import Settings
from worker.maintenance.beat_guard import BeatWatch

if __name__ == "__main__":
    url, silence_s, n_ticks = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
    beat = get_context("spawn").Process(target=time.sleep, args=(60,))
    beat.start()
    BeatWatch(beat, Settings(_env_file=None, redis_url=url), silence_s).start()
    print(beat.pid, flush=True)
    for _ in range(n_ticks):
        time.sleep(silence_s / 4)
        task_received.send(sender=None)
    if n_ticks:
        beat.terminate()
    time.sleep(3 * silence_s)
    beat.terminate()
    sys.exit(7)
"""


def run(folder: Path, url: str, n_ticks: int = 0) -> "subprocess.Popen[str]":
    """A process that has a beat and hears it so many times."""
    file = folder / "small_worker.py"
    file.write_text(WORKER)
    command = [sys.executable, str(file), url, str(SILENCE_S), str(n_ticks)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()


def test_a_beat_that_stands_still_is_killed_together_with_its_worker(tmp_path: Path, redis_url: str) -> None:
    with run(tmp_path, redis_url) as worker:
        assert worker.stdout is not None
        pid = int(worker.stdout.readline())
        os.kill(pid, signal.SIGSTOP)
        said = worker.stdout.read()
    assert worker.returncode == 1
    assert "beat_silent" in said
    assert not is_there(pid)


def test_a_worker_that_stood_still_itself_waits_for_the_next_tick(tmp_path: Path, redis_url: str) -> None:
    with run(tmp_path, redis_url, n_ticks=8) as worker:
        assert worker.stdout is not None
        worker.stdout.readline()
        os.kill(worker.pid, signal.SIGSTOP)
        time.sleep(3 * SILENCE_S)
        os.kill(worker.pid, signal.SIGCONT)
        said = worker.stdout.read()
    assert "beat_silent" not in said
    assert "beat_died" in said


def test_a_beat_that_is_heard_lives_until_it_ends(tmp_path: Path, redis_url: str) -> None:
    """Twice as long as it might be silent; then it ends, and the worker with it."""
    with run(tmp_path, redis_url, n_ticks=8) as worker:
        assert worker.stdout is not None
        said = worker.stdout.read()
    assert worker.returncode == 1
    assert "beat_died" in said


def test_while_the_broker_is_away_nothing_can_be_heard(tmp_path: Path) -> None:
    with run(tmp_path, "redis://127.0.0.1:9/0") as worker:
        worker.communicate()
    assert worker.returncode == 7
