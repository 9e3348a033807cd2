"""What must hold of every job that has ended, whatever happened on the way: counted from the rows themselves."""

from collections import Counter
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.base.database import Database
from core.base.states import ChunkState, JobState
from core.orm.jobs import Chunk, Job
from core.orm.results import HistogramBin, Result
from core.orm.uploads import Image, Shard

Said = tuple[int | None, int | None, str | None]


def check_sound(db: Database, job: str) -> None:
    """A job that is done: one result for each image, and counters and histogram that equal the rows."""
    with db.read() as session:
        row = _job(session, job)
        assert row.state == JobState.DONE, row.error
        n_images = _count(session, select(func.count()).where(Image.upload_id == row.upload_id))
        assert row.n_total == n_images == row.n_done + row.n_failed
        with_result = select(Result.image_id).where(Result.job_id == row.id)
        lost = select(func.count()).where(Image.upload_id == row.upload_id, Image.id.not_in(with_result))
        assert _count(session, lost) == 0
    check_counters(db, job)


def check_counters(db: Database, job: str) -> None:
    """A job in any state: what it says of itself is what its rows say."""
    with db.read() as session:
        row = _job(session, job)
        of_job = Result.job_id == row.id
        results = session.execute(
            select(
                Result.image_id, Result.class_index, Result.confidence, Result.probabilities, Result.error_code
            ).where(of_job)
        ).all()
        of_upload = set(session.scalars(select(Image.id).where(Image.upload_id == row.upload_id)))
        assert {one.image_id for one in results} <= of_upload
        assert row.n_done == sum(one.error_code is None for one in results)
        assert row.n_failed == sum(one.error_code is not None for one in results)
        states = Counter(session.scalars(select(Chunk.state).where(Chunk.job_id == row.id)))
        assert (row.n_chunks, row.n_chunks_done) == (states.total(), states[ChunkState.DONE])
        n_shards = select(func.count()).where(Shard.upload_id == row.upload_id, Shard.n_images > 0)
        assert row.n_chunks == _count(session, n_shards)
        good = [one for one in results if one.error_code is None]
        counted = Counter((one.class_index, one.confidence // 1000) for one in good)
        neither = Counter((one.class_index, one.confidence // 1000) for one in good if _is_neither(one.probabilities))
        bins = session.scalars(select(HistogramBin).where(HistogramBin.job_id == row.id)).all()
        assert {(one.class_index, one.bin): one.n for one in bins if one.n} == dict(counted)
        assert {(one.class_index, one.bin): one.n_neither for one in bins if one.n_neither} == dict(neither)


def _is_neither(probabilities: list[float]) -> bool:
    return sum(round(p * 1_000_000) for p in probabilities) < 500_000


def read_results(db: Database, job: str) -> dict[str, Said]:
    """Class, confidence in millionths and error code of each path of a job."""
    with db.read() as session:
        rows = session.execute(
            select(Image.path, Result.class_index, Result.confidence, Result.error_code)
            .join(Result, Result.image_id == Image.id)
            .where(Result.job_id == _job(session, job).id)
        ).all()
    assert len({row.path for row in rows}) == len(rows)
    return {row.path: (row.class_index, row.confidence, row.error_code) for row in rows}


def _job(session: Session, job: str) -> Job:
    return session.scalars(select(Job).where(Job.uuid == UUID(job))).one()


def _count(session: Session, query: "select[tuple[int]]") -> int:  # type: ignore[type-arg]
    return session.scalars(query).one()
