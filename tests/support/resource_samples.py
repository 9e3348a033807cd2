"""What an installation takes, sampled again and again: memory, handles and threads of each process, connections, logs.

Each sample is a few lines of a table: seconds since the start, what (a process with its number, or a server), measure,
value. A program that reads it later needs nothing of the tests.
"""

import csv
import os
import statistics
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from redis import Redis
from sqlalchemy import text

from tests.support.installation import Installation
from tests.support.processes import PROC
from worker.process.runtime import POOL_SIZE

ROLES = ("web.wsgi", "inference@", "training@", "maintenance@", "beat", "child_main", "valkey", "guard", "cli up")
DATABASE = "/pawsort.db"
OF_ONE_TRAINING = "training@ child"  # a process that is replaced after each training; it takes more while it trains
MEASURES = {"VmRSS": "rss_kib", "Pss": "pss_kib", "Threads": "threads"}
# A process opens another connection of its pool when more threads than ever before want one, which may take hours, and
# keeps it. On SQLite it has a handle of the database and one of its log.
CONNECTIONS = 2 * POOL_SIZE
# What may grow after the installation has settled: a part, and so much in any case.
MAY_GROW = {
    "rss_kib": (0.1, 10_240),
    "pss_kib": (0.1, 10_240),
    "handles": (0.0, 4),
    "connections": (0.0, CONNECTIONS),
    "threads": (0.0, 3),
    "n": (0.0, 4),
}


@dataclass(frozen=True)
class Trend:
    """One measure of one role after it has settled: medians of its first and last third, and the slope by the hour."""

    what: str
    measure: str
    first: float
    last: float
    per_hour: float

    @property
    def is_flat(self) -> bool:
        share, amount = MAY_GROW[self.measure]
        return self.last - self.first <= max(self.first * share, amount)

    def __str__(self) -> str:
        figures = f"{self.first:.0f} to {self.last:.0f}, {self.per_hour:+.1f} an hour"
        return f"{self.what} {self.measure}: {figures}{'' if self.is_flat else '  GROWS'}"


class Sampler(threading.Thread):
    """Writes a sample of an installation every so often."""

    def __init__(self, installation: Installation, file: Path, every_s: float) -> None:
        super().__init__(name="sampler", daemon=True)
        self._installation, self._file, self._every_s = installation, file, every_s
        self._is_over = threading.Event()

    def stop(self) -> None:
        self._is_over.set()
        self.join()

    def run(self) -> None:
        began_at = time.monotonic()
        with self._file.open("w", newline="") as file:
            table = csv.writer(file)
            while not self._is_over.wait(self._every_s):
                at_s = round(time.monotonic() - began_at)
                table.writerows((at_s, *row) for row in self._sample())
                file.flush()

    def _sample(self) -> Iterator[tuple[str, str, int]]:
        processes = self._installation.processes()
        roles = {one.pid: role for one in processes for role in ROLES if role in one.command}
        for one in processes:
            name = roles.get(one.pid) or f"{roles.get(one.parent, 'other')} child"
            with suppress(OSError):  # it has just ended
                for measure, value in read_process(one.pid).items():
                    yield f"{name} {one.pid}", measure, value
        yield from self._connections()
        for log in (self._installation.data_dir / "logs").glob("*.log"):
            yield f"log {log.name}", "bytes", log.stat().st_size
        files = [one for one in self._installation.data_dir.glob("pawsort.db*") if one.exists()]
        yield "database", "bytes", sum(one.stat().st_size for one in files)

    def _connections(self) -> Iterator[tuple[str, str, int]]:
        with suppress(Exception), Redis.from_url(self._installation.record.redis_url) as redis:
            yield "Redis", "n", int(redis.info("clients")["connected_clients"])
            yield "Redis keys", "n", int(redis.dbsize())
        if self._installation.db.engine.dialect.name == "postgresql":
            with self._installation.db.read() as session:
                ours = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                yield "PostgreSQL", "n", session.execute(text(ours)).scalar_one()


def read_process(pid: int) -> dict[str, int]:
    """Memory in KiB, threads, connections (sockets, and files of SQLite), and other handles of a process (Linux)."""
    folder = PROC / str(pid)
    lines = (folder / "status").read_text("utf-8", "replace") + (folder / "smaps_rollup").read_text("utf-8", "replace")
    words = (line.split() for line in lines.splitlines())
    found = {MEASURES[one[0][:-1]]: int(one[1]) for one in words if one and one[0][:-1] in MEASURES}
    handles = [os.readlink(one) for one in (folder / "fd").iterdir()]
    n_connections = sum(one.startswith("socket:") or DATABASE in one for one in handles)
    return {**found, "connections": n_connections, "handles": len(handles) - n_connections}


def read_trends(file: Path, settled_after_s: float) -> list[Trend]:
    """Follow each measure of each role, the largest of its processes at each time, from when it has settled.

    Processes of a single training are not followed.
    """
    largest: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
    with file.open(newline="") as lines:
        for at_s, what, measure, value in csv.reader(lines):
            is_followed = measure in MAY_GROW and not what.startswith(OF_ONE_TRAINING)
            if is_followed and int(at_s) >= settled_after_s:
                series = largest[what.rpartition(" ")[0] or what if what[-1:].isdigit() else what, measure]
                series[int(at_s)] = max(int(value), series.get(int(at_s), 0))
    return [_follow(*names, series) for names, series in sorted(largest.items()) if len(series) >= 3]


def _follow(what: str, measure: str, series: dict[int, int]) -> Trend:
    values, third = list(series.values()), len(series) // 3
    slope = statistics.linear_regression(list(series), values).slope * 3600
    return Trend(what, measure, statistics.median(values[:third]), statistics.median(values[-third:]), slope)
