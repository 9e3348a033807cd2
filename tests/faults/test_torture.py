"""Kills at moments that nobody chose, again and again. The seed is printed, so that a failure can be looked at."""

import random
import time
from pathlib import Path

import pytest

from tests.support.installation import QUICK, START_S, Installation
from tests.support.photographs import make_shards
from tests.support.processes import kill, living
from tests.support.soundness import check_sound, read_results

N_ROUNDS = 12
N_STARTS = 12
LONGEST_PAUSE_S = 4.0
LONGEST_START_S = 5.0


@pytest.mark.slow
def test_processes_killed_at_random_lose_nothing(installation: Installation) -> None:
    chance = _chance()
    upload = installation.send(make_shards(6, 4))
    reference = installation.classify(upload)
    installation.wait_for_job(reference, START_S)
    expected = read_results(installation.db, reference)
    job = installation.classify(upload)
    for _ in range(N_ROUNDS):
        _pause(chance, LONGEST_PAUSE_S)
        victim = chance.choice(installation.processes())
        print(f"kills {victim.command[:60]}")
        try:
            kill(victim.pid)
        except ProcessLookupError:  # it has just ended by itself, being a child of the last victim
            continue
        if installation.state(job) == "done":
            check_sound(installation.db, job)
            job = installation.classify(upload)
    installation.wait_for_job(job)
    check_sound(installation.db, job)
    assert read_results(installation.db, job) == expected


@pytest.mark.slow
def test_an_instance_killed_at_any_moment_of_its_first_starts_can_be_started(tmp_path: Path) -> None:
    chance = _chance()
    one = Installation(tmp_path / "data", **QUICK)
    one.data_dir.mkdir()
    try:
        for _ in range(N_STARTS):
            one.begin_start()
            _pause(chance, LONGEST_START_S)
            children = one.kill()
            one.wait_for(lambda pids=children: not living(pids), 10, "everything that it had started to end")
        one.start()
        job = one.classify(one.send(make_shards(2, 3)))
        one.wait_for_job(job, START_S)
        check_sound(one.db, job)
        one.stop()
    finally:
        one.close()


def _chance() -> random.Random:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    return random.Random(seed)


def _pause(chance: random.Random, longest_s: float) -> None:
    """Let a random time go by: this is no waiting for anything."""
    time.sleep(chance.uniform(0, longest_s))
