"""Chunks: claiming them, renewing and releasing their lease. SQL decides who works; messages only wake workers.

A claim is one UPDATE that wins or does not. It raises the fence, and everything that the winner writes later carries
that number: a worker that has lost the lease in between finds no row that matches.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Update, case, func, select, update
from sqlalchemy.orm import Session

from core.base import leases
from core.base.clock import db_now, seconds_since
from core.base.database import change
from core.base.states import ACTIVE_STATES, ChunkState, JobState
from core.decoding.decoded import DECODING
from core.orm.jobs import Chunk, Job
from core.orm.results import Result
from core.orm.training import ShardFeatures
from core.orm.uploads import Image, Shard

MAX_ATTEMPTS = 20
RAN_OUT = "The worker that held it stopped responding."


@dataclass(frozen=True)
class Work:
    """What a chunk needs: its job and the model version."""

    job_id: int
    model_version_id: int


@dataclass(frozen=True)
class Claim:
    """A chunk that one worker holds until its lease runs out.

    Attributes:
        model_version_id: The version that classifies its job.
        blob_key: Where its shard is.
        waited_s: How long it was waiting.
        is_taken_over: Another worker let its lease run out.
    """

    chunk_id: int
    job_id: int
    shard_id: int
    fence: int
    attempts: int
    model_version_id: int
    blob_key: str
    waited_s: float | None = None
    is_taken_over: bool = False


@dataclass(frozen=True)
class ChunkImage:
    """One image of a claimed chunk that has no result yet; `declared_bytes` is set when its bytes were not sent."""

    image_id: int
    path: str
    offset: int
    n_bytes: int
    declared_bytes: int | None
    sha256: bytes


def find_work(session: Session, chunk_id: int) -> Work | None:
    """What a chunk needs, or None when it no longer has to be classified."""
    wanted = select(Job.id, Job.model_version_id).join(Chunk, Chunk.job_id == Job.id)
    row = session.execute(wanted.where(Chunk.id == chunk_id, Chunk.state != ChunkState.DONE, _job_is_active())).first()
    return None if row is None or row.model_version_id is None else Work(row.id, row.model_version_id)


def claim_chunk(
    session: Session, chunk_id: int, worker_id: int | None, lease_s: float, versions: Sequence[int] | None = None
) -> Claim | None:
    """Claim a chunk that is ready, or whose lease has run out by the database's clock.

    Args:
        versions: Claim it only if its job uses one of these.
    Returns:
        The claim, or None: another worker holds it, it is done, or its job has ended.
    """
    is_wanted = _job_is_active() if versions is None else _job_is_active() & Job.model_version_id.in_(versions)
    active = select(Job.id).where(Job.id == Chunk.job_id, is_wanted).exists()
    row = session.execute(
        update(Chunk)
        .where(Chunk.id == chunk_id, (Chunk.state == ChunkState.READY) | _has_run_out(), active)
        .values(
            state=ChunkState.RUNNING,
            **leases.claim_values(Chunk, lease_s),
            attempts=Chunk.attempts + 1,
            worker_id=worker_id,
            error=case((Chunk.state == ChunkState.RUNNING, RAN_OUT), else_=Chunk.error),
        )
        .returning(
            Chunk.job_id,
            Chunk.shard_id,
            Chunk.fence,
            Chunk.attempts,
            seconds_since(Chunk.ready_at),
            Chunk.error,
            select(Job.model_version_id).where(Job.id == Chunk.job_id).scalar_subquery(),
            select(Shard.blob_key).where(Shard.id == Chunk.shard_id).scalar_subquery(),
            select(Job.id).where(Job.id == Chunk.job_id, _is_not_started()).exists(),
        )
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if row is None:
        return None
    job_id, shard_id, fence, attempts, waited_s, error, version_id, blob_key, is_first = row
    if is_first:
        _start_job(session, job_id)
    is_taken_over = error == RAN_OUT
    return Claim(chunk_id, job_id, shard_id, fence, attempts, version_id, blob_key, waited_s, is_taken_over)


def _start_job(session: Session, job_id: int) -> None:
    running = func.replace(Job.state, JobState.QUEUED.value, JobState.RUNNING.value)
    started_at = func.coalesce(Job.started_at, db_now())
    values = {"state": running, "started_at": started_at, "revision": Job.revision + 1}
    change(session, update(Job).where(Job.id == job_id, _job_is_active()).values(values))  # perhaps cancelled just now


def _is_not_started() -> ColumnElement[bool]:
    return Job.started_at.is_(None) | (Job.state == JobState.QUEUED)


def renew_lease(session: Session, claim: Claim, lease_s: float) -> bool:
    """Renew the lease; False when another worker, or none, holds the chunk now."""
    return change(session, _held(claim).values(leases.renewal_values(lease_s))) == 1


def release_chunk(session: Session, claim: Claim, error: str | None = None) -> None:
    """Release a chunk that is not done.

    Args:
        error: What went wrong; without it the attempt is not counted (a worker that was asked to stop).
    """
    attempts = Chunk.attempts if error else Chunk.attempts - 1
    values = {"state": ChunkState.READY, "ready_at": db_now(), "attempts": attempts, "error": error}
    change(session, _held(claim).values(values | leases.release_values()))


def mark_done(session: Session, claim: Claim) -> bool:
    """End a chunk; False when the claim is no longer valid."""
    values = {"state": ChunkState.DONE, "error": None, **leases.release_values()}
    return change(session, _held(claim).values(values)) == 1


def _held(claim: Claim) -> Update:
    held = (Chunk.id == claim.chunk_id) & (Chunk.fence == claim.fence) & (Chunk.state == ChunkState.RUNNING)
    return update(Chunk).where(held)


def list_to_classify(session: Session, claim: Claim) -> list[ChunkImage]:
    """The images of the chunk's shard that have no result in its job, in the order of the shard."""
    return read_chunk(session, claim, None)[0]


def read_chunk(session: Session, claim: Claim, body: str | None) -> tuple[list[ChunkImage], int]:
    """What `list_to_classify` lists, and of how many images of the shard this body's features are kept already."""
    of_body = (ShardFeatures.body == body) & (ShardFeatures.decoding == DECODING)
    of_shard = (ShardFeatures.shard_id == claim.shard_id) & of_body
    n_kept = select(func.coalesce(func.max(ShardFeatures.n_images), 0)).where(of_shard).scalar_subquery()
    has_result = select(Result.image_id).where(Result.job_id == claim.job_id, Result.image_id == Image.id).exists()
    rows = session.execute(
        select(Image.id, Image.path, Image.offset, Image.n_bytes, Image.declared_bytes, Image.sha256, n_kept)
        .where(Image.shard_id == claim.shard_id, ~has_result)
        .order_by(Image.ordinal)
    ).all()
    return [ChunkImage(*row[:-1]) for row in rows], rows[0][-1] if rows else 0


def list_expired(session: Session, limit: int) -> list[int]:
    """Chunks of active jobs whose lease has run out."""
    return _list(session, _has_run_out(), limit)


def list_ready(session: Session, limit: int) -> list[int]:
    """Chunks of active jobs that wait for a worker, oldest first."""
    return _list(session, Chunk.state == ChunkState.READY, limit)


def _list(session: Session, which: ColumnElement[bool], limit: int) -> list[int]:
    query = select(Chunk.id).join(Job, Job.id == Chunk.job_id).where(which, _job_is_active()).order_by(Chunk.id)
    return list(session.scalars(query.limit(limit)))


def _has_run_out() -> ColumnElement[bool]:
    return (Chunk.state == ChunkState.RUNNING) & leases.has_run_out(Chunk.lease_until)


def _job_is_active() -> ColumnElement[bool]:
    return Job.state.in_(ACTIVE_STATES) & Job.deleted_at.is_(None)
