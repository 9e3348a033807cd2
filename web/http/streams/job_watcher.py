"""The jobs that clients of this process watch: one thread looks at all of them in one statement.

watch ─► stream ◄─ look, every second: SELECT revision … WHERE id IN (those watched); what has changed is described
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core.base.database import Database
from core.base.states import ACTIVE_STATES
from core.orm.jobs import Job
from web.http.delivery.etags import job_etag
from web.http.streams.event_stream import EventStream

LOOK_S = 1.0
HEARTBEAT_S = 15.0
LONGEST_S = 300.0  # then the client comes again

log = structlog.get_logger("web")

Describe = Callable[[Session, Sequence[Job]], Mapping[int, str]]
MaySee = Callable[[Session], bool]


@dataclass
class _Watch:
    """Which job a stream is about, whether its person may still see it, and when what is due."""

    job_id: int
    may_see: MaySee
    ends_at: float
    heartbeat_at: float


class JobWatcher:
    """Sends events about jobs to the streams of this process.

    Args:
        describe: The data of events about these jobs, by their ids.
        clock: Seconds that never go back.
    """

    def __init__(self, db: Database, describe: Describe, clock: Callable[[], float] = time.monotonic) -> None:
        self._db = db
        self._describe = describe
        self._clock = clock
        self._streams: dict[EventStream, _Watch] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self, job_id: int, last_id: str = "", may_see: MaySee = lambda _: True) -> EventStream:
        """A stream with the state of a job, now and whenever it changes, until it has ended.

        Args:
            last_id: The id of the last event that the client has; the same one is not sent again.
            may_see: Asked before each heartbeat; the stream ends where the person has been shut out since it began.
        """
        stream, now = EventStream(last_id, self._forget), self._clock()
        with self._lock:
            self._streams[stream] = _Watch(job_id, may_see, ends_at=now + LONGEST_S, heartbeat_at=now + HEARTBEAT_S)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="job-watcher", daemon=True)
                self._thread.start()
        self._wake.set()
        return stream

    def look(self) -> None:
        """Send what has changed, heartbeats, and the ends of streams that have lasted long enough."""
        with self._lock:
            watched = dict(self._streams)
        now = self._clock()
        self._send_changes(watched)
        due = [(stream, watch) for stream, watch in watched.items() if now >= min(watch.heartbeat_at, watch.ends_at)]
        if due:
            with self._db.read() as session:
                for stream, watch in due:
                    if now >= watch.ends_at or not watch.may_see(session):
                        stream.end()
                    else:
                        watch.heartbeat_at = now + HEARTBEAT_S
                        stream.send_heartbeat()

    def _send_changes(self, watched: Mapping[EventStream, _Watch]) -> None:
        wanted = {watch.job_id for watch in watched.values()}
        with self._db.read() as session:
            there = {job.id: job for job in session.scalars(select(Job).where(Job.id.in_(wanted)))}
            etags = {job_id: job_etag(job) for job_id, job in there.items() if job.deleted_at is None}
            last_ids = {(watch.job_id, stream.last_id) for stream, watch in watched.items()}
            changed = {job_id for job_id, last_id in last_ids if etags.get(job_id, last_id) != last_id}
            described = self._describe(session, [there[job_id] for job_id in sorted(changed)]) if changed else {}
        for stream, watch in watched.items():
            job_id = watch.job_id
            if job_id in described and etags[job_id] != stream.last_id:
                stream.send(etags[job_id], "job", described[job_id])
            if job_id not in etags or there[job_id].state not in ACTIVE_STATES:
                stream.end()

    def _run(self) -> None:
        while self._has_streams():
            self._wake.clear()
            try:
                self.look()
            except SQLAlchemyError as error:  # a database that does not answer for a moment
                log.warning("jobs_not_watched", error=str(error))
            except Exception:  # without the thread, no stream of this process would ever end
                log.exception("jobs_not_watched")
            self._wake.wait(LOOK_S)

    def _has_streams(self) -> bool:
        with self._lock:
            if not self._streams:
                self._thread = None  # the next stream starts another one
            return bool(self._streams)

    def _forget(self, stream: EventStream) -> None:
        with self._lock:
            self._streams.pop(stream, None)
