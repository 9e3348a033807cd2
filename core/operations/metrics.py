"""Counters and timings of all processes, added up in SQL, so that every web process gives the same answer.

    Meter of a process ── every few seconds: add() ──► measures (name, labels, value) ──► read() ──► /metrics

A process that is killed loses the counts of its last seconds. What has to be exact (jobs, images, chunks) is
therefore counted in the tables themselves, at the moment of asking (core/operations/status.py).
"""

import json
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.base.database import Database, insert_or, slices
from core.orm.operations import MetricValue

Key = tuple[str, str]  # name, labels as JSON

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
BEYOND = "+Inf"
SUM = "_sum"
ROWS_AT_ONCE = 200  # of one statement; SQLite takes 32,766 values

IMAGES = "pawsort_images_classified_total"
CHUNKS = "pawsort_chunks_ended_total"
LEASES = "pawsort_leases_lost_total"
REQUEUED = "pawsort_messages_rung_again_total"
WEBHOOKS = "pawsort_webhook_attempts_total"
REQUESTS = "pawsort_http_requests_total"
STAGES = "pawsort_stage_seconds"
ANSWERS = "pawsort_http_seconds"


class Meter:
    """Counts and times of one process since they were last written. Any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[Key, float] = {}

    def count(self, name: str, n: float = 1, **labels: str) -> None:
        """Add `n` to a counter."""
        self._add({_key(name, labels): n})

    def time(self, name: str, seconds: float, **labels: str) -> None:
        """Note how long something took."""
        place = bisect_left(BUCKETS_S, seconds)
        bucket = str(BUCKETS_S[place]) if place < len(BUCKETS_S) else BEYOND
        self._add({_key(name, labels | {"le": bucket}): 1, _key(name + SUM, labels): seconds})

    @contextmanager
    def timing(self, name: str, **labels: str) -> Iterator[None]:
        """Note how long the block takes, unless it ends with an error."""
        begun = time.perf_counter()
        yield
        self.time(name, time.perf_counter() - begun, **labels)

    @contextmanager
    def writing(self, db: Database) -> Iterator[Session]:
        """A transaction that also writes the counts so far; if it is rolled back, they wait for the next one."""
        taken: dict[Key, float] = {}
        try:
            with db.write() as session:
                yield session
                with self._lock:
                    taken, self._values = self._values, {}
                _write(session, taken)
        except BaseException:
            self._add(taken)
            raise

    def flush(self, db: Database) -> None:
        """Write in a transaction of its own; nothing is lost when that fails."""
        with self._lock:
            has_nothing = not self._values
        if has_nothing:
            return
        with self.writing(db):
            pass

    def _add(self, values: Mapping[Key, float]) -> None:
        with self._lock:
            for key, value in values.items():
                self._values[key] = self._values.get(key, 0.0) + value


@dataclass(frozen=True)
class Timing:
    """A histogram of durations: `n_up_to` counts those of at most that many seconds, and all under +Inf."""

    labels: dict[str, str]
    n_up_to: dict[str, int]
    sum_s: float

    @property
    def n(self) -> int:
        """How often it was timed."""
        return self.n_up_to[BEYOND]

    @property
    def mean_s(self) -> float:
        """Seconds on average."""
        return self.sum_s / self.n

    def most_within_s(self, share: float) -> float | None:
        """The duration that this share of them did not exceed, rounded up to a bucket; None: above the longest."""
        return next((limit for limit in BUCKETS_S if self.n_up_to[str(limit)] >= share * self.n), None)


class MetricsSnapshot:
    """Everything that was written, read in one statement."""

    def __init__(self, session: Session) -> None:
        self._values: dict[str, dict[str, float]] = {}
        for name, labels, value in session.execute(select(MetricValue.name, MetricValue.labels, MetricValue.value)):
            self._values.setdefault(name, {})[labels] = value

    def counts(self, name: str) -> list[tuple[dict[str, str], float]]:
        """The values of a counter with their labels."""
        return [(json.loads(labels), value) for labels, value in sorted(self._values.get(name, {}).items())]

    def total(self, name: str) -> float:
        """A counter over all its labels."""
        return sum(self._values.get(name, {}).values())

    def times(self, name: str) -> list[Timing]:
        """The timings under a name, for each set of labels."""
        found: dict[str, dict[str, float]] = {}
        for text, value in self._values.get(name, {}).items():
            labels = json.loads(text)
            bucket = labels.pop("le")
            found.setdefault(_text(labels), {})[bucket] = value
        sums = self._values.get(name + SUM, {})
        return [Timing(json.loads(text), _cumulate(one), sums.get(text, 0.0)) for text, one in sorted(found.items())]


def _cumulate(counted: Mapping[str, float]) -> dict[str, int]:
    up_to, total = {}, 0
    for bucket in (*map(str, BUCKETS_S), BEYOND):
        total += int(counted.get(bucket, 0))
        up_to[bucket] = total
    return up_to


def _write(session: Session, values: Mapping[Key, float]) -> None:
    """One statement for many rows, always in the same order: so two processes wait for each other and never both."""
    insert = insert_or(session, MetricValue)
    rows: list[dict[str, Any]] = [
        {"name": name, "labels": labels, "value": value} for (name, labels), value in sorted(values.items())
    ]
    for some in slices(rows, ROWS_AT_ONCE):
        added = insert.values(some)
        session.execute(
            added.on_conflict_do_update(
                index_elements=["name", "labels"], set_={"value": MetricValue.value + added.excluded.value}
            )
        )


def _key(name: str, labels: Mapping[str, str]) -> Key:
    return name, _text(labels)


def _text(labels: Mapping[str, str]) -> str:
    return json.dumps(labels, sort_keys=True, separators=(",", ":"))
