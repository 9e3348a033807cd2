"""War: `make faults` lets 200 faults loose on each kind of installation; `make test` a few.

PAWSORT_TEST_FAULTS and PAWSORT_TEST_SEED choose how many and which.
"""

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import war
from tests.support.installation import QUICK, Installation
from tests.support.postgresql import cut_connections
from tests.support.processes import living_below
from tests.support.war import LONGEST_STOP_S, ON_ONE_MACHINE, Fault, Tally

DATABASES = ("postgresql",)
N_FAULTS = int(os.environ.get("PAWSORT_TEST_FAULTS", "200"))
N_SHORT = 5
SEED = int(os.environ.get("PAWSORT_TEST_SEED", "815"))


def check(tally: Tally) -> None:
    print(f"\nseed {SEED}\n{tally.table()}")
    assert (tally.lost, tally.doubled, tally.changed) == ([], [], [])
    assert tally.n_results > 0


def test_a_few_faults_lose_double_and_change_nothing(installation: Installation) -> None:
    quick = {name: ON_ONE_MACHINE[name] for name in ("process killed", "process stopped")}
    check(war.wage(installation, N_SHORT, SEED, quick))


@pytest.mark.slow
def test_war_on_one_machine_loses_doubles_and_changes_nothing(tmp_path: Path) -> None:
    with Installation.running(tmp_path / "data", **QUICK) as one:
        check(war.wage(one, N_FAULTS, SEED, ON_ONE_MACHINE))


@pytest.fixture
def servers(tmp_path: Path, sql_url: str, s3: str) -> Iterator[Installation]:
    """An installation on PostgreSQL and S3."""
    where = {"PAWSORT_DATABASE_URL": sql_url, "PAWSORT_BLOB_URL": f"{s3}/war"}
    with Installation.running(tmp_path / "data", **QUICK, **where) as one:
        yield one


def stop_s3(_: Installation, chance: random.Random) -> None:
    """Halt the S3 server for a while."""
    weeds = [one.pid for one in living_below(os.getpid()) if "weed" in one.command]
    for number in (signal.SIGSTOP, signal.SIGCONT):
        for pid in weeds:
            os.kill(pid, number)
        if number == signal.SIGSTOP:
            time.sleep(chance.uniform(0.5, LONGEST_STOP_S))


@pytest.mark.slow
def test_war_on_servers_loses_doubles_and_changes_nothing(servers: Installation, sql_url: str) -> None:
    faults: dict[str, tuple[Fault, int]] = {
        **ON_ONE_MACHINE,
        "connections to PostgreSQL cut": (lambda *_: cut_connections(sql_url), 5),
        "S3 stopped": (stop_s3, 3),
    }
    check(war.wage(servers, N_FAULTS, SEED, faults))
