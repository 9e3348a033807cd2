"""A whole installation on a folder of its own: `pawsort up` as a process, its parts, its database, its page.

Short times, so that faults are noticed within seconds. Nothing here sleeps for a fixed time: everything that is waited
for is asked for again and again until a deadline, which says what was waited for and what the logs say.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self, TypeVar
from uuid import UUID, uuid4

import httpx2
from sqlalchemy import select

from core.accounts import accounts, tokens
from core.base.database import Database
from core.base.states import ChunkState, JobState
from core.messaging.broker import INFERENCE
from core.operations.instance_record import InstanceRecord, read_record
from core.orm.jobs import Chunk, Job
from core.orm.operations import Worker
from pawsort.client.pawsort import Pawsort
from tests.support import leftovers
from tests.support.deadlines import within
from tests.support.deadly_decoder import HOLD
from tests.support.processes import Process, is_living_below, kill, living, living_below
from tests.support.waiting import until

START_S = 120.0
# What is promised is an end within 60 s after the last fault; `wait_for_job` measures from its call.
END_S = 60.0
STOP_S = 15.0
QUICK = {
    "PAWSORT_LEASE_S": "4",
    "PAWSORT_HEARTBEAT_S": "1",
    "PAWSORT_RECONCILE_S": "1",
    "PAWSORT_INFERENCE_PROCESSES": "2",
    "PAWSORT_MIN_FREE_BYTES": "0",
    "PAWSORT_DEFAULT_NETWORK": "seed-cnn",  # what is tested does not depend on what the network is worth
    "PAWSORT_DECODER": "tests.support.deadly_decoder:decode",
}
ENDED = (JobState.DONE, JobState.CANCELLED, JobState.FAILED)

Found = TypeVar("Found")


class Installation:
    """One data directory, and `pawsort up` on it whenever it has been started."""

    def __init__(self, data_dir: Path, **settings: str) -> None:
        self.data_dir = data_dir
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PAWSORT_")}
        self.environment = {**inherited, **leftovers.mark(), "PAWSORT_DATA_DIR": str(data_dir), **settings}
        self._up: subprocess.Popen[bytes] | None = None
        self._record: InstanceRecord | None = None
        self._db: Database | None = None

    @classmethod
    @contextmanager
    def running(cls, data_dir: Path, **settings: str) -> Iterator[Self]:
        """An installation that is started, and asked to end when the block has gone well; nothing of it is left."""
        one = cls(data_dir, **settings)
        try:
            one.start()
            yield one
            one.stop()
        finally:
            one.close()

    @property
    def pid(self) -> int:
        """`pawsort up` itself."""
        assert self._up is not None
        return self._up.pid

    @property
    def record(self) -> InstanceRecord:
        assert self._record is not None
        return self._record

    @property
    def db(self) -> Database:
        """The installation's database, opened by the test itself."""
        self._db = self._db or Database(self.record.database_url)
        return self._db

    def start(self) -> None:
        """Start it and wait until the page answers; workers take some seconds more."""
        self.begin_start()
        self._record = self.wait_for(self._own_record, START_S, "the page to answer")

    def begin_start(self) -> None:
        """Start it and wait for nothing."""
        self.data_dir.mkdir(mode=0o700, exist_ok=True)
        with (self.data_dir / "up.txt").open("ab") as out:
            self._up = subprocess.Popen(
                [sys.executable, "-m", "pawsort.cli", "up", "--port", "0"],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    def _own_record(self) -> InstanceRecord | None:
        assert self._up is not None
        assert self._up.poll() is None, f"pawsort up ended:\n{self.logs()}"
        record = read_record(self.data_dir)
        return record if record and record.pid == self._up.pid else None

    def stop(self) -> None:
        """Ask it to end as Ctrl-C does, and see that it does so in time."""
        if self._up is not None:
            children = [one.pid for one in self.processes()]
            self._up.send_signal(signal.SIGTERM)
            self._up.wait(within(STOP_S))
            self.wait_for(lambda: not living(children), 5, "everything to end together with pawsort up")
            assert read_record(self.data_dir) is None
        self.close()

    def kill(self) -> list[int]:
        """`kill -9` of `pawsort up` alone; returns what it had started."""
        assert self._up is not None
        children = [one.pid for one in self.processes()]
        self._up.kill()
        self._up.wait()
        return children

    def close(self) -> None:
        """Kill whatever still runs and let go of the database."""
        if self._up is not None and self._up.poll() is None:
            self._up.kill()
            self._up.wait()
        if self._db is not None:
            self._db.close()

    # The page

    def client(self, token: str | None = None) -> Pawsort:
        """The client that people's programs use: it repeats what failed. The owner's, unless a token is given."""
        return Pawsort(self.record.address, token or self.record.token)

    def create_token(self, user: str) -> str:
        """A token of somebody else."""
        with self.db.write() as session:
            return tokens.create_token(session, "test", accounts.get_or_create_user(session, user))

    def http(self, timeout_s: float | None = None) -> httpx2.Client:
        """Plain HTTP, once and without patience."""
        headers = {"Authorization": f"Bearer {self.record.token}"}
        address = f"{self.record.address}/api/v1"
        return httpx2.Client(base_url=address, headers=headers, timeout=timeout_s or within(30), trust_env=False)

    def send(
        self, shards: Sequence[bytes], name: str = "photos", complete: bool = True, token: str | None = None
    ) -> str:
        """Send tars as an upload; returns its id."""
        upload = str(uuid4())
        with self.client(token) as client:
            client.uploads.create(upload, name=name)
            for seq, tar in enumerate(shards):
                client.uploads.put_shard(upload, seq, tar)
            if complete:
                client.uploads.complete(upload, len(shards))
        return upload

    def classify(self, upload: str, token: str | None = None) -> str:
        """Start a job over an upload; returns its id."""
        job = str(uuid4())
        with self.client(token) as client:
            client.jobs.create(job, upload=upload)
        return job

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Meanwhile no chunk with a picture that is marked HELD gets past it: once under way, it stays so."""
        hold = self.data_dir / HOLD
        hold.touch()
        try:
            yield
        finally:
            hold.unlink()

    # Looking inside

    def processes(self) -> list[Process]:
        """Everything that `pawsort up` has started and that lives."""
        return living_below(self.pid)

    def find(self, words: str, child_of: int | None = None) -> list[int]:
        """Processes that `pawsort up` (or `child_of`) itself has started, by words of their command lines."""
        father = child_of or self.pid
        return [one.pid for one in self.processes() if one.parent == father and words in one.command]

    def state(self, job: str) -> str:
        with self.db.read() as session:
            return session.scalars(select(Job.state).where(Job.uuid == UUID(job))).one()

    def attempts(self, job: str) -> list[int]:
        """How often each chunk of a job was claimed."""
        with self.db.read() as session:
            of_job = select(Chunk.attempts).join(Job, Job.id == Chunk.job_id).where(Job.uuid == UUID(job))
            return list(session.scalars(of_job.order_by(Chunk.id)))

    def wait_under_way(self, job: str) -> int:
        """Wait until a worker process is between claim and record, where `holding` keeps it; returns its number."""

        def find() -> int | None:
            with self.db.read() as session:
                claimed = session.scalars(
                    select(Worker.pid)
                    .join(Chunk, Chunk.worker_id == Worker.id)
                    .join(Job, Job.id == Chunk.job_id)
                    .where(Job.uuid == UUID(job), Chunk.state == ChunkState.RUNNING)
                ).all()
            # Those of processes that were killed are claimed until somebody else takes them.
            return next((pid for pid in claimed if is_living_below(pid, self.pid)), None)

        return self.wait_for(find, END_S, "a chunk to be under way")

    def stop_under_way(self, job: str) -> int:
        """Halt (SIGSTOP) a worker process between claim and record, where `holding` keeps it; returns its number."""
        pid = self.wait_under_way(job)
        os.kill(pid, signal.SIGSTOP)
        return pid

    def kill_under_way(self, job: str) -> int:
        """`kill -9` a worker process between claim and record, where `holding` keeps it; returns its number."""
        pid = self.wait_under_way(job)
        kill(pid)
        self.wait_for(lambda: not living([pid]), END_S, f"process {pid} to end")
        return pid

    # Waiting

    def wait_for(self, find: Callable[[], Found | None], seconds: float, what: str) -> Found:
        """Ask until there is an answer; returns it."""
        return until(find, seconds, what, self.logs)

    def wait_for_workers(self, n: int = 2, queue: str = INFERENCE) -> list[int]:
        """Wait until so many processes work on a queue; returns their numbers."""

        def ready() -> list[int]:
            with self.db.read() as session:
                known = session.scalars(select(Worker.pid).where(Worker.queue == queue)).all()
            pids = [pid for pid in known if is_living_below(pid, self.pid)]
            return pids if len(pids) >= n else []

        return self.wait_for(ready, START_S, f"{n} processes for {queue}")

    def wait_for_job(self, job: str, seconds: float = END_S) -> str:
        """Wait until a job has ended; returns its state."""
        self.wait_for(lambda: self.state(job) in ENDED, seconds, f"job {job} to end, {self.attempts(job)} attempts")
        return self.state(job)

    def logs(self, n_lines: int = 15) -> str:
        """The ends of all logs."""
        files = [self.data_dir / "up.txt", *sorted((self.data_dir / "logs").glob("*.log"))]
        ends = [(file, file.read_text("utf-8", "replace").splitlines()[-n_lines:]) for file in files if file.exists()]
        return "\n".join("\n".join([f"--- {file.name}", *lines]) for file, lines in ends)
