"""A war: faults at random against a running installation that works, and what was lost, doubled or changed by them.

Everything follows from the seed but the moments at which processes run. Work goes on in a thread: uploads, jobs,
retries, cancels, deletions, pauses. Only what the server has acknowledged counts.
"""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

import httpx2
from sqlalchemy import select

from core.base.states import JobState
from core.jobs import jobs
from core.orm.results import Result
from core.orm.uploads import Image
from pawsort.api.errors import ClientError
from tests.support.deadlines import within
from tests.support.installation import END_S, START_S, Installation
from tests.support.photographs import make_shards
from tests.support.processes import kill, living
from tests.support.soundness import Said, check_counters, read_results

N_SHARDS, N_EACH = 3, 4
LONGEST_PAUSE_S = 2.5
LONGEST_STOP_S = 6.0
N_USERS = 3
N_JOBS_OPEN = 6  # of each of them; more would only wait
WORK_PAUSE_S = 0.4


@dataclass
class Tally:
    """What happened, and what came of it."""

    faults: Counter[str] = field(default_factory=Counter)
    work: Counter[str] = field(default_factory=Counter)
    n_jobs: int = 0
    n_results: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    ended_after_s: float = 0.0

    def table(self) -> str:
        """It as a table."""
        rows = {
            "faults": f"{self.faults.total()}: "
            + ", ".join(f"{n} x {name}" for name, n in sorted(self.faults.items())),
            "work": ", ".join(f"{n} x {name}" for name, n in sorted(self.work.items())),
            "compared": f"{self.n_results} results of {self.n_jobs} jobs",
            "lost": len(self.lost),
            "doubled": len(self.doubled),
            "changed": len(self.changed),
            "all jobs ended after the last fault": f"{self.ended_after_s:.0f} s",
        }
        return "\n".join(f"| {name} | {value} |" for name, value in rows.items())


def _list(counted: Counter[str]) -> str:
    return ", ".join(f"{n} x {name}" for name, n in sorted(counted.items()))


Fault = Callable[[Installation, random.Random], None]


def kill_one(installation: Installation, chance: random.Random) -> None:
    """`kill -9` of any process of the installation but `pawsort up`."""
    with suppress(ProcessLookupError, IndexError):
        kill(chance.choice(installation.processes()).pid)


def kill_all(installation: Installation, _: random.Random) -> None:
    """`kill -9` of all of them at once."""
    for one in installation.processes():
        with suppress(ProcessLookupError):
            kill(one.pid)


def stop_one(installation: Installation, chance: random.Random) -> None:
    """Halt any process for a while."""
    with suppress(ProcessLookupError, IndexError):
        pid = chance.choice(installation.processes()).pid
        os.kill(pid, signal.SIGSTOP)
        time.sleep(chance.uniform(0.2, LONGEST_STOP_S))
        os.kill(pid, signal.SIGCONT)


def restart(installation: Installation, _: random.Random) -> None:
    """`kill -9` of `pawsort up`, and another start."""
    children = installation.kill()
    installation.wait_for(lambda: not living(children), START_S, "everything to end with pawsort up")
    installation.start()


ON_ONE_MACHINE: dict[str, tuple[Fault, int]] = {
    "process killed": (kill_one, 10),
    "process stopped": (stop_one, 6),
    "everything killed": (kill_all, 2),
    "pawsort up killed and started": (restart, 1),
}


class Work(threading.Thread):
    """Somebody who uses an installation all the time."""

    def __init__(
        self, installation: Installation, shards: Sequence[bytes], chance: random.Random, tally: Tally
    ) -> None:
        super().__init__(name="work", daemon=True)
        self._installation, self._shards, self._chance, self._tally = installation, shards, chance, tally
        self._is_over = threading.Event()
        self.uploads: dict[str, int] = {}
        self.jobs: dict[str, str] = {}
        self.deleted: set[str] = set()

    def stop(self) -> None:
        """End after what is being done."""
        self._is_over.set()
        self.join()

    def run(self) -> None:
        acts = (
            *[self._send] * 4,
            self._classify,
            self._classify,
            self._stop_and_retry,
            self._pause_and_resume,
            self._delete,
        )
        while not self._is_over.wait(WORK_PAUSE_S):
            act = self._chance.choice(acts)
            with suppress(ClientError, httpx2.HTTPError, OSError, IndexError):  # not acknowledged: it does not count
                act()

    def _open_jobs(self) -> list[str]:
        return [job for job in self.jobs if job not in self.deleted]

    def _count(self, what: str) -> None:
        self._tally.work[what] += 1

    def _send(self) -> None:
        if len(self.jobs) - len(self.deleted) >= N_JOBS_OPEN + self._tally.faults.total() // 4:
            return
        n_shards = self._chance.randint(1, len(self._shards))
        upload = self._installation.send(self._shards[:n_shards])
        self.uploads[upload] = n_shards
        self._count("upload")
        self._add_job(upload)

    def _classify(self) -> None:
        self._add_job(self._chance.choice(list(self.uploads)))

    def _add_job(self, upload: str) -> None:
        self.jobs[self._installation.classify(upload)] = upload
        self._count("job")

    def _stop_and_retry(self) -> None:
        job = self._chance.choice(self._open_jobs())
        with self._installation.client() as client:
            with suppress(ClientError):  # it has ended
                client.jobs.cancel(job)
                self._count("cancel")
            client.jobs.retry(job)
            self._count("retry")

    def _pause_and_resume(self) -> None:
        job = self._chance.choice(self._open_jobs())
        with self._installation.client() as client:
            client.jobs.pause(job)
            self._count("pause")
            client.jobs.resume(job)

    def _delete(self) -> None:
        if len(self._open_jobs()) < 3:
            return
        job = self._chance.choice(self._open_jobs())
        self.deleted.add(job)  # whether or not the answer arrives
        with self._installation.client() as client:
            client.jobs.delete(job)
        self._count("delete")


def wage(installation: Installation, n_faults: int, seed: int, faults: dict[str, tuple[Fault, int]]) -> Tally:
    """Let an installation suffer faults, then count what was lost, doubled or changed."""
    chance, tally = random.Random(seed), Tally()
    shards = make_shards(N_SHARDS, N_EACH)
    reference = installation.classify(installation.send(shards))
    installation.wait_for_job(reference, START_S)
    expected = read_results(installation.db, reference)
    users = [Work(installation, shards, random.Random(seed + number), tally) for number in range(1, N_USERS + 1)]
    for user in users:
        user.start()
    names, weights = list(faults), [weight for _, weight in faults.values()]
    for name in chance.choices(names, weights, k=n_faults):
        time.sleep(chance.uniform(0.1, LONGEST_PAUSE_S))
        faults[name][0](installation, chance)
        tally.faults[name] += 1
    last_fault_at = time.monotonic()
    for user in users:
        user.stop()
    for user in users:
        _bring_to_an_end(installation, user)
    tally.ended_after_s = time.monotonic() - last_fault_at
    for user in users:
        for job, upload in user.jobs.items():
            if job not in user.deleted:
                _compare(installation, job, user.uploads[upload], expected, tally)
    return tally


def _bring_to_an_end(installation: Installation, work: Work) -> None:
    """Resume what was left paused or stopped by a call whose answer was lost, and wait for all jobs."""
    for job in work.jobs.keys() - work.deleted:
        with suppress(ClientError), installation.client() as client:
            client.jobs.resume(job)
        if installation.state(job) in (JobState.CANCELLED, JobState.FAILED):
            with installation.client() as client:
                client.jobs.retry(job)
    for job in work.jobs.keys() - work.deleted:
        installation.wait_for_job(job, within(END_S))


def _compare(installation: Installation, job: str, n_shards: int, expected: dict[str, Said], tally: Tally) -> None:
    """Compare a job with the same pictures of the undisturbed one."""
    wanted = dict(sorted(expected.items())[: n_shards * N_EACH])
    with installation.db.read() as session:
        row = jobs.get_job(session, UUID(job))
        paths = select(Image.path).join(Result, Result.image_id == Image.id).where(Result.job_id == row.id)
        counted = Counter(session.scalars(paths))
    is_open = row.state != JobState.DONE
    found = read_results(installation.db, job)
    check_counters(installation.db, job)
    tally.n_jobs += 1
    tally.n_results += len(found)
    tally.lost += [f"{job} {path}" for path in wanted.keys() - found.keys()] + [job] * is_open
    tally.doubled += [f"{job} {path}" for path, n in counted.items() if n > 1]
    tally.changed += [f"{job} {path}" for path in found if found[path] != wanted.get(path)]
