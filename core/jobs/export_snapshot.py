"""The results of a job as they are when an export begins. An export is whole, or it visibly breaks.

take_snapshot ─► rows, slice by slice ─► check_snapshot after each: still there, not retried, the same threshold
"""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.base.errors import EditConflict
from core.base.states import ChunkState, JobState
from core.orm.jobs import Chunk, Job
from core.orm.uploads import Shard


@dataclass(frozen=True)
class ExportSnapshot:
    """What an export contains.

    Attributes:
        job: As it was at the start; not attached to a session.
        shards: The numbers of the shards whose results were complete then; None if all were.
    """

    job: Job
    shards: frozenset[int] | None

    @property
    def is_partial(self) -> bool:
        """Whether files of the upload may have no result yet, or will never have one."""
        return self.shards is not None


def take_snapshot(session: Session, job: Job) -> ExportSnapshot:
    """Note what an export of a job contains from now on."""
    if job.state == JobState.DONE:
        return ExportSnapshot(job, None)
    done = (Chunk.job_id == job.id) & (Chunk.state == ChunkState.DONE)
    seqs = session.scalars(select(Shard.seq).join(Chunk, Chunk.shard_id == Shard.id).where(done))
    return ExportSnapshot(job, frozenset(seqs))


def check_snapshot(session: Session, snapshot: ExportSnapshot) -> None:
    """Check that what was read so far is still what the snapshot says.

    Raises:
        Conflict: The job was deleted, retried, or got another threshold.
    """
    before = snapshot.job
    row = session.execute(
        select(Job.deleted_at, Job.n_retries, Job.threshold_milli).where(Job.id == before.id)
    ).one_or_none()
    if row is None or row.deleted_at is not None:
        happened = "was deleted"
    elif row.n_retries != before.n_retries:
        happened = "was retried"
    elif row.threshold_milli != before.threshold_milli:
        happened = "got another threshold"
    else:
        return
    raise EditConflict(f"Job {before.uuid} {happened} while it was exported. Export it again.")
