"""Chunks: claiming them, renewing and releasing their lease. SQL decides who works; messages only wake workers.

A claim is one UPDATE that wins or does not. It raises the fence, and everything that the winner writes later carries
that number: a worker that has lost the lease in between finds no row that matches. `core.jobs.fair_share` decides which
job is next.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, ScalarSelect, Update, case, false, func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.base import leases
from core.base.clock import db_now, seconds_since
from core.base.database import change
from core.base.states import ACTIVE_STATES, ChunkState, JobState
from core.decoding.decoded import DECODING
from core.messaging.broker import INFERENCE
from core.operations.pauses import may_go_on
from core.orm.jobs import Chunk, Job
from core.orm.models import ModelVersion
from core.orm.results import Result
from core.orm.training import ShardFeatures
from core.orm.uploads import Image, Shard

RAN_OUT = "The worker that held it stopped responding."


@dataclass(frozen=True)
class Claim:
    """A chunk that one worker holds until its lease runs out.

    Attributes:
        model_version_id: The version that classifies its job.
        network: Of that version.
        blob_key: Where its shard is.
        waited_s: How long it was waiting.
        is_taken_over: Another worker let its lease run out.
        is_slow: What is left of it takes long to decode.
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
    is_slow: bool = False
    network: str | None = None


@dataclass(frozen=True)
class ChunkImage:
    """One image of a claimed chunk that has no result yet; `declared_bytes` is set when its bytes were not sent."""

    image_id: int
    path: str
    offset: int
    n_bytes: int
    declared_bytes: int | None
    sha256: bytes


def claim_chunk(session: Session, chunk_id: int, worker_id: int | None, lease_s: float) -> Claim | None:
    """Claim a chunk that is ready, or whose lease has run out by the database's clock.

    Returns:
        The claim, or None: another worker holds it, it is done, or its job has ended.
    """
    return _claim(session, (Chunk.id == chunk_id) & is_claimable(), worker_id, lease_s)


def claim_chunk_of(
    session: Session, job_id: int, worker_id: int | None, lease_s: float, *, slow: bool = False
) -> Claim | None:
    """Claim the first ready chunk of a job that no other worker is about to claim.

    On PostgreSQL, workers that ask at the same time skip each other's rows; on SQLite they take turns.

    Args:
        slow: Claim a slow chunk; otherwise one that is not.
    Returns:
        The claim, or None: nothing is ready, or the job has ended.
    """
    first = select(Chunk.id).where(is_ready(job_id, slow=slow)).order_by(Chunk.id).limit(1)
    which = Chunk.id == first.with_for_update(skip_locked=True).scalar_subquery()
    return _claim(session, which & (Chunk.state == ChunkState.READY), worker_id, lease_s)


def _claim(session: Session, which: ColumnElement[bool], worker_id: int | None, lease_s: float) -> Claim | None:
    active = select(Job.id).where(Job.id == Chunk.job_id, may_go_on(INFERENCE)).exists()
    row = session.execute(
        update(Chunk)
        .where(which, active)
        .values(
            state=ChunkState.RUNNING,
            **leases.claim_values(Chunk, lease_s),
            attempts=Chunk.attempts + 1,
            worker_id=worker_id,
            claimed_at=db_now(),
            error=case((Chunk.state == ChunkState.RUNNING, RAN_OUT), else_=Chunk.error),
        )
        .returning(
            Chunk.id,
            Chunk.job_id,
            Chunk.shard_id,
            Chunk.fence,
            Chunk.attempts,
            _version_of_job(),
            select(Shard.blob_key).where(Shard.id == Chunk.shard_id).scalar_subquery(),
            seconds_since(Chunk.ready_at),
            func.coalesce(Chunk.error == RAN_OUT, false()),
            Chunk.is_slow,
            select(ModelVersion.network).where(ModelVersion.id == _version_of_job()).scalar_subquery(),
            select(Job.id).where(Job.id == Chunk.job_id, _is_not_started()).exists(),
        )
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if row is None:
        return None
    *claim, is_first = row
    if is_first:
        _start_job(session, row.job_id)
    return Claim(*claim)


def _version_of_job() -> ScalarSelect[int | None]:
    return select(Job.model_version_id).where(Job.id == Chunk.job_id).correlate(Chunk).scalar_subquery()


def _start_job(session: Session, job_id: int) -> None:
    running = func.replace(Job.state, JobState.QUEUED.value, JobState.RUNNING.value)
    started_at = func.coalesce(Job.started_at, db_now())
    values = {"state": running, "started_at": started_at, "revision": Job.revision + 1}
    change(session, update(Job).where(Job.id == job_id, is_job_active()).values(values))  # perhaps cancelled just now


def _is_not_started() -> ColumnElement[bool]:
    return Job.started_at.is_(None) | (Job.state == JobState.QUEUED)


def renew_lease(session: Session, claim: Claim, lease_s: float) -> bool:
    """Renew the lease; False when another worker, or none, holds the chunk now."""
    return change(session, _held(claim).values(leases.renewal_values(lease_s))) == 1


def release_chunk(session: Session, claim: Claim, error: str | None = None, pause_s: float = 0.0) -> None:
    """Release a chunk that is not done.

    Args:
        error: What went wrong; without it the attempt is not counted (a worker that was asked to stop).
        pause_s: How long it is not claimed again.
    """
    attempts = Chunk.attempts if error else Chunk.attempts - 1
    values = {"state": ChunkState.READY, "ready_at": db_now(pause_s), "attempts": attempts, "error": error}
    change(session, _held(claim).values(values | leases.release_values()))


def keep(session: Session, claim: Claim) -> bool:
    """Go on with a chunk after some of its results; False when the claim is no longer valid."""
    return change(session, _held(claim).values(fence=Chunk.fence)) == 1


def mark_done(session: Session, claim: Claim) -> bool:
    """End a chunk; False when the claim is no longer valid."""
    values = {"state": ChunkState.DONE, "error": None, **leases.release_values()}
    return change(session, _held(claim).values(values)) == 1


def set_aside(session: Session, claim: Claim) -> bool:
    """Make a chunk ready as a slow one, for the images that have no result yet; False as for `mark_done`."""
    values = {
        "state": ChunkState.READY,
        "ready_at": db_now(),
        "is_slow": True,
        "attempts": 0,
        "error": None,
        **leases.release_values(),
    }
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
    """Chunks whose lease has run out, of jobs that may go on."""
    return _list(session, has_run_out(), limit)


def list_ready(session: Session, limit: int) -> list[int]:
    """Chunks that wait for a worker, of jobs that may go on, oldest first."""
    return _list(session, (Chunk.state == ChunkState.READY) & leases.is_ready(Chunk.ready_at), limit)


def _list(session: Session, which: ColumnElement[bool], limit: int) -> list[int]:
    query = select(Chunk.id).join(Job, Job.id == Chunk.job_id).where(which, may_go_on(INFERENCE)).order_by(Chunk.id)
    return list(session.scalars(query.limit(limit)))


def is_ready(job_id: int | InstrumentedAttribute[int], *, slow: bool) -> ColumnElement[bool]:
    """SQL for: a chunk of this job that waits for a worker."""
    of_job = (Chunk.job_id == job_id) & (Chunk.state == ChunkState.READY) & Chunk.is_slow.is_(slow)
    return of_job & leases.is_ready(Chunk.ready_at)


def is_claimable() -> ColumnElement[bool]:
    """SQL for: a chunk that waits for a worker, or that its worker has let go."""
    return (Chunk.state == ChunkState.READY) | has_run_out()


def has_run_out() -> ColumnElement[bool]:
    """SQL for: a chunk whose worker stopped renewing its lease."""
    return (Chunk.state == ChunkState.RUNNING) & leases.has_run_out(Chunk.lease_until)


def is_job_active() -> ColumnElement[bool]:
    """SQL for: a job that still wants results."""
    return Job.state.in_(ACTIVE_STATES) & Job.deleted_at.is_(None)
