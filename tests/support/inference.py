"""What inference workers do with jobs, done here and now."""

from uuid import UUID

from sqlalchemy import select

from core.jobs import jobs
from core.orm.jobs import Chunk
from worker.inference import classification
from worker.process.runtime import Runtime


def sort_all(runtime: Runtime, job: UUID) -> None:
    """Classify every chunk of a job."""
    with runtime.db.read() as session:
        of_job = Chunk.job_id == jobs.get_job(session, job).id
        chunk_ids = session.scalars(select(Chunk.id).where(of_job)).all()
    for chunk_id in chunk_ids:
        classification.classify_chunk(runtime, chunk_id)
