"""How an installation is doing, read from its tables, its broker and its disk at the moment of asking.

For Prometheus and for the page System. Counts of jobs and images are those of jobs that have not been deleted.
"""

from dataclasses import dataclass
from typing import Any

from redis.exceptions import RedisError
from sqlalchemy import case, func, select, text
from sqlalchemy.orm import Session

from core.base import leases
from core.base.clock import seconds_since
from core.base.config import Settings
from core.base.errors import PawsortError
from core.base.states import ACTIVE_STATES, ChunkState, JobKind, JobState
from core.messaging.broker import INFERENCE, MAINTENANCE, TRAINING, check_broker, connect
from core.operations import workers
from core.operations.pauses import may_go_on
from core.orm.jobs import Chunk, Job
from core.orm.operations import Worker
from core.orm.training import Training
from core.webhooks import outbox
from core.webhooks.outbox import Backlog

QUEUES = (INFERENCE, TRAINING, MAINTENANCE)
OPEN = (ChunkState.READY, ChunkState.RUNNING)
SUSPECT_FROM = 3  # claims of a chunk: from then on its images are decoded one by one


@dataclass(frozen=True)
class InstallationStatus:
    """The figures of an installation, from its tables.

    Attributes:
        chunks: Open chunks of active jobs by state: counting what is done would read every chunk that ever was.
        oldest_s: For each queue, for how long the oldest piece of work has waited; 0 where none waits.
        n_trainings_queued: Trainings, evaluations and checks of labels that wait for a worker.
        workers: Those that are alive.
        silent: Those that stopped sending heartbeats without having stopped properly.
        n_suspect: Open chunks that have been claimed at least `SUSPECT_FROM` times.
        webhooks: Messages that receivers have not accepted yet.
    """

    jobs: dict[str, int]
    images: dict[str, int]
    chunks: dict[str, int]
    oldest_s: dict[str, float]
    n_trainings_queued: int
    n_suspect: int
    webhooks: Backlog
    workers: list[Worker]
    silent: list[Worker]
    database_bytes: int
    database_version: str


def read_status(session: Session, settings: Settings) -> InstallationStatus:
    """Read all figures from the tables, in a fixed number of statements."""
    jobs = select(Job.state, func.count()).where(Job.deleted_at.is_(None)).group_by(Job.state)
    chunks = _open(select(Chunk.state, func.count())).group_by(Chunk.state)
    counted, open_chunks = _pairs(session, jobs), _pairs(session, chunks)
    return InstallationStatus(
        jobs={str(state): counted.get(state, 0) for state in JobState},
        images=_count_images(session),
        chunks={str(state): open_chunks.get(state, 0) for state in OPEN},
        oldest_s=_find_oldest(session),
        n_trainings_queued=session.scalars(select(func.count()).select_from(Job).where(_waits_for_training())).one(),
        n_suspect=session.scalars(_open(select(func.count())).where(Chunk.attempts >= SUSPECT_FROM)).one(),
        webhooks=outbox.read_backlog(session),
        workers=workers.list_alive(session, settings.alive_s),
        silent=workers.list_silent(session, settings.alive_s),
        database_bytes=_database_bytes(session),
        database_version=_database_version(session),
    )


@dataclass(frozen=True)
class BrokerStatus:
    """The broker's own figures.

    Attributes:
        messages: How many wait in each queue.
        refusal: Why it takes no more; None if it does.
    """

    version: str
    used_bytes: int
    messages: dict[str, int]
    refusal: str | None


def read_broker_status(settings: Settings) -> BrokerStatus | None:
    """Ask the broker; None when it does not answer."""
    try:
        with connect(settings) as redis, redis.pipeline(transaction=False) as pipe:
            for queue in QUEUES:
                pipe.llen(settings.redis_prefix + queue)
            pipe.info("server")
            pipe.info("memory")
            *lengths, server, memory = pipe.execute()
    except (RedisError, OSError, ValueError):
        return None
    version = server.get("valkey_version") or server.get("redis_version", "")
    name = "Valkey" if "valkey_version" in server else "Redis"
    messages = dict(zip(QUEUES, lengths, strict=True))
    return BrokerStatus(f"{name} {version}", int(memory.get("used_memory", 0)), messages, _find_refusal(settings))


def _find_refusal(settings: Settings) -> str | None:
    try:
        check_broker(settings)
    except PawsortError as error:
        return error.message
    return None


def list_slow(session: Session, limit: int) -> list["SlowChunk"]:
    """Chunks that were claimed again and again and are not done, most often claimed first."""
    query = select(Job.uuid, Job.name, Chunk.id, Chunk.attempts, Chunk.error).join(Job, Job.id == Chunk.job_id)
    suspect = Chunk.state.in_(OPEN) & (Chunk.attempts >= SUSPECT_FROM)
    rows = session.execute(query.where(suspect, _is_active()).order_by(Chunk.attempts.desc(), Chunk.id).limit(limit))
    return [SlowChunk(*row) for row in rows]


@dataclass(frozen=True)
class SlowChunk:
    """A piece of a job that does not get done. `error`: what went wrong the last time."""

    job_uuid: Any
    job_name: str
    chunk_id: int
    attempts: int
    error: str | None


def list_failed(session: Session, limit: int) -> list[Job]:
    """Jobs that failed as a whole, newest first."""
    query = select(Job).where(Job.state == JobState.FAILED, Job.deleted_at.is_(None))
    return list(session.scalars(query.order_by(Job.id.desc()).limit(limit)))


def list_at_work(session: Session) -> dict[int, Job]:
    """What each worker is working on, by its id: the job of its chunk, or its training."""
    by_chunk = select(Chunk.worker_id, Job).join(Job, Job.id == Chunk.job_id)
    chunks = by_chunk.where(Chunk.state == ChunkState.RUNNING, Chunk.worker_id.is_not(None), _is_active())
    by_training = select(Training.worker_id, Job).join(Job, Job.id == Training.job_id)
    is_held = leases.is_current(Training.lease_until) & Training.worker_id.is_not(None)
    trainings = by_training.where(is_held, _is_active())
    return {row[0]: row[1] for query in (chunks, trainings) for row in session.execute(query) if row[0] is not None}


def _count_images(session: Session) -> dict[str, int]:
    left = Job.n_total - Job.n_done - Job.n_failed
    is_waited_for = case((Job.state.in_(ACTIVE_STATES), left), else_=0)  # those of a stopped job are not waited for
    sums = select(func.sum(Job.n_done), func.sum(Job.n_failed), func.sum(is_waited_for))
    of_jobs = (Job.kind == JobKind.CLASSIFY) & Job.deleted_at.is_(None)
    n_done, n_failed, n_open = (int(n or 0) for n in session.execute(sums.where(of_jobs)).one())
    return {"done": n_done, "failed": n_failed, "open": n_open}


def _find_oldest(session: Session) -> dict[str, float]:
    since = func.min(func.coalesce(Chunk.ready_at, Job.created_at))
    waits = (Chunk.state == ChunkState.READY) & may_go_on(INFERENCE)  # what is paused waits for nobody
    chunk = session.scalar(_open(select(seconds_since(since))).where(waits))
    training = session.scalar(
        select(seconds_since(func.min(func.coalesce(Job.moved_at, Job.created_at)))).where(_waits_for_training())
    )
    return {INFERENCE: max(chunk or 0.0, 0.0), TRAINING: max(training or 0.0, 0.0)}


def _waits_for_training() -> Any:
    return (Job.kind != JobKind.CLASSIFY) & (Job.state == JobState.QUEUED) & may_go_on(TRAINING)


def _open(query: Any) -> Any:
    of_active = query.select_from(Chunk).join(Job, Job.id == Chunk.job_id)
    return of_active.where(Chunk.state.in_(OPEN), _is_active())


def _is_active() -> Any:
    return Job.deleted_at.is_(None) & Job.state.in_(ACTIVE_STATES)


def _pairs(session: Session, query: Any) -> dict[str, int]:
    return {row[0]: row[1] for row in session.execute(query)}


def _database_bytes(session: Session) -> int:
    if session.get_bind().dialect.name == "postgresql":
        size = text("SELECT pg_database_size(current_database())")
    else:
        size = text("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
    return int(session.execute(size).scalar_one())


def _database_version(session: Session) -> str:
    if session.get_bind().dialect.name == "postgresql":
        return f"PostgreSQL {session.execute(text('SHOW server_version')).scalar_one()}"
    return f"SQLite {session.execute(text('SELECT sqlite_version()')).scalar_one()}"
