"""Whose work is next: nobody waits behind another user's folder.

    user with the fewest running chunks ─► that user's job with the fewest ─► its oldest chunk

Where several have equally many, the one that was served longest ago comes first, so that a single worker takes turns.
A job that goes first comes before its user's other jobs, or before all (core/jobs/control/pausing.py).
The queries look at active jobs and running chunks, of which there are few; a longer queue does not make them slower.
"""

from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, literal, select
from sqlalchemy.orm import Session

from core.base import leases
from core.base.states import ChunkState
from core.jobs import chunks
from core.jobs.chunks import Claim
from core.jobs.control.pausing import Priority
from core.messaging.broker import INFERENCE
from core.operations.pauses import may_go_on
from core.orm.jobs import Chunk, Job

CANDIDATES = 4  # other workers may claim the last chunk of the first ones in the meantime


class Lane(Enum):
    """Which chunks a thread of a worker looks for."""

    MAIN = "main"  # all that are not slow
    SLOW = "slow"  # those whose images take long to decode
    EXPRESS = "express"  # those of jobs that have nothing running, while others have: a large chunk takes seconds


@dataclass(frozen=True)
class Candidate:
    """A job with work that is ready.

    Attributes:
        expired_chunk_id: A chunk that its worker has let go; None if there is none.
    """

    job_id: int
    model_version_id: int
    expired_chunk_id: int | None


def list_candidates(session: Session, lane: Lane = Lane.MAIN, limit: int = CANDIDATES) -> list[Candidate]:
    """The jobs to work on, the one whose turn it is first."""
    return [Candidate(*row) for row in session.execute(_query(lane).limit(limit))]


def claim(
    session: Session, candidate: Candidate, worker_id: int | None, lease_s: float, lane: Lane = Lane.MAIN
) -> Claim | None:
    """Claim the next chunk of a job; None when other workers were faster."""
    if candidate.expired_chunk_id is not None:
        return chunks.claim_chunk(session, candidate.expired_chunk_id, worker_id, lease_s)
    return chunks.claim_chunk_of(session, candidate.job_id, worker_id, lease_s, slow=lane is Lane.SLOW)


@cache  # building it takes longer than the database needs to answer
def _query(lane: Lane) -> Select[Any]:
    waiting = _waiting_jobs(slow=lane is Lane.SLOW)
    n_running, n_of_user = _running_by_job(), _running_by_user()
    last_of_user = func.max(waiting.c.last_claim).over(partition_by=waiting.c.user_id)
    query = (
        select(waiting.c.job_id, waiting.c.model_version_id, waiting.c.expired_id)
        .outerjoin(n_running, n_running.c.job_id == waiting.c.job_id)
        .outerjoin(n_of_user, n_of_user.c.user_id == waiting.c.user_id)
        .order_by(
            case((waiting.c.priority == Priority.BEFORE_ALL, 0), else_=1),
            func.coalesce(n_of_user.c.n, 0),
            last_of_user.asc().nulls_first(),
            waiting.c.priority.desc(),
            func.coalesce(n_running.c.n, 0),
            waiting.c.last_claim.asc().nulls_first(),
            waiting.c.job_id,
        )
    )
    if lane is Lane.EXPRESS:
        is_anything_running = select(literal(1)).select_from(n_running).exists()
        query = query.where(n_running.c.n.is_(None), is_anything_running)
    return query


def _waiting_jobs(*, slow: bool) -> Any:
    """Active jobs with a chunk that can be claimed: each costs a few look-ups in indexes."""
    ready = select(literal(1)).where(chunks.is_ready(Job.id, slow=slow)).correlate(Job).exists()
    of_job = (Chunk.job_id == Job.id) & Chunk.is_slow.is_(slow)
    expired = select(func.min(Chunk.id)).where(of_job, chunks.has_run_out()).correlate(Job).scalar_subquery()
    last_claim = select(func.max(Chunk.claimed_at)).where(Chunk.job_id == Job.id).correlate(Job).scalar_subquery()
    has_work: ColumnElement[bool] = ready | expired.is_not(None)
    return (
        select(
            Job.id.label("job_id"),
            _user_of(Job).label("user_id"),
            Job.model_version_id,
            Job.priority,
            expired.label("expired_id"),
            last_claim.label("last_claim"),
        )
        .where(may_go_on(INFERENCE), Job.model_version_id.is_not(None), has_work)
        .subquery("waiting")
    )


def _running_by_job() -> Any:
    return select(Chunk.job_id, func.count().label("n")).where(_is_running()).group_by(Chunk.job_id).subquery("by_job")


def _running_by_user() -> Any:
    user_id = _user_of(Job)
    return (
        select(user_id.label("user_id"), func.count().label("n"))
        .select_from(Chunk)
        .join(Job, Job.id == Chunk.job_id)
        .where(_is_running())
        .group_by(user_id)
        .subquery("by_user")
    )


def _is_running() -> ColumnElement[bool]:
    return (Chunk.state == ChunkState.RUNNING) & leases.is_current(Chunk.lease_until)


def _user_of(job: type[Job]) -> ColumnElement[int]:
    return func.coalesce(job.user_id, 0)  # jobs of a schedule may have no user
