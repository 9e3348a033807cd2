"""Retrying many failed jobs at once."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.rights import Actor
from core.base.database import Database
from core.base.errors import Conflict, Forbidden, Gone, NotFound
from core.base.states import JobState
from core.jobs import retry
from core.orm.jobs import Job

MOST = 1000


@dataclass
class RetryReport:
    """Which of the given jobs are retried, and why the others are not.

    Attributes:
        jobs: Those that continue.
        n_chunks: How many of their chunks wait for a worker.
        refused: A sentence for each of the others.
    """

    jobs: list[UUID] = field(default_factory=list)
    n_chunks: int = 0
    refused: dict[UUID, str] = field(default_factory=dict)


def list_failed(session: Session, actor: Actor) -> list[UUID]:
    """Jobs that failed as a whole and that this person may change, oldest first."""
    failed = select(Job.uuid, Job.user_id).where(Job.state == JobState.FAILED, Job.deleted_at.is_(None))
    rows = session.execute(failed.order_by(Job.id))
    return [uuid for uuid, user_id in rows if actor.may_change(user_id)][:MOST]


def retry_all(db: Database, actor: Actor, uuids: Iterable[UUID]) -> RetryReport:
    """Retry jobs, each in a transaction of its own. Send messages for their chunks afterwards."""
    report = RetryReport()
    for uuid in uuids:
        try:
            with db.write() as session:
                _, chunk_ids = retry.retry_job(session, actor, uuid)
        except (Conflict, Forbidden, Gone, NotFound) as error:
            report.refused[uuid] = error.message
        else:
            report.jobs.append(uuid)
            report.n_chunks += len(chunk_ids)
    return report
