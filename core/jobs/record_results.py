"""Recording: the results of a chunk, its end, the job's counters and the histogram, in one transaction."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, case, func, insert, update
from sqlalchemy.orm import Session

from core.base.clock import db_now, seconds_since
from core.base.database import insert_or
from core.base.errors import ErrorCode, ImageWarning, LeaseLost
from core.base.states import ACTIVE_STATES
from core.decoding.decoded import DECODING
from core.jobs import chunks, job_states
from core.jobs.chunks import Claim
from core.jobs.confidence import MILLION, is_neither, to_millionths
from core.orm.jobs import Job
from core.orm.results import HistogramBin, Result

LONGEST_PAUSE_S = 60.0  # between two chunks of a job at work; a longer one was a stop, and does not count for the rate


class Rest(StrEnum):
    """What is left of a chunk after some of its results: nothing, images that follow, or images that take long."""

    NOTHING = "nothing"
    MORE = "more"
    SLOW = "slow"


_NEXT = {Rest.NOTHING: chunks.mark_done, Rest.MORE: chunks.keep, Rest.SLOW: chunks.set_aside}


@dataclass(frozen=True)
class Outcome:
    """The outcome for one image: a probability for each class (float, 0 to 1), or an error code.

    The other attributes as in `Result`.
    """

    image_id: int
    probabilities: Sequence[float] | None = None
    error_code: ErrorCode | None = None
    error_detail: str | None = None
    warning: ImageWarning | None = None
    heat: bytes | None = None
    similarity_key: int = 0
    network: str | None = None


def record(session: Session, claim: Claim, outcomes: Sequence[Outcome], rest: Rest = Rest.NOTHING) -> bool:
    """Write results of a claimed chunk, what becomes of it, the job's counters and histogram: all or nothing.

    Args:
        rest: Without one, the chunk is done; with slow images, it is set aside for them.
    Returns:
        Whether this ended the job.
    Raises:
        LeaseLost: Another worker has the chunk by now, or the job was cancelled or deleted; roll back.
    """
    rows = [_row(claim.job_id, outcome) for outcome in outcomes]
    n_failed = sum(row["error_code"] is not None for row in rows)
    since_last = seconds_since(func.coalesce(Job.moved_at, Job.started_at, db_now()))
    is_last = session.scalar(
        update(Job)
        .where(Job.id == claim.job_id, Job.state.in_(ACTIVE_STATES), Job.deleted_at.is_(None))
        .values(
            n_done=Job.n_done + len(rows) - n_failed,
            n_failed=Job.n_failed + n_failed,
            n_chunks_done=Job.n_chunks_done + int(rest is Rest.NOTHING),
            revision=Job.revision + 1,
            moved_at=db_now(),
            active_s=Job.active_s + _counted(since_last),
            **_decodings(),
        )
        .returning(Job.n_chunks_done == Job.n_chunks)
        .execution_options(synchronize_session=False)
    )
    if is_last is None or not _NEXT[rest](session, claim):
        raise LeaseLost(f"Chunk {claim.chunk_id} is no longer this worker's; its results were dropped.")
    if rows:
        session.execute(insert(Result), rows)
        _add_to_histogram(session, claim.job_id, rows)
    return bool(is_last) and job_states.finish_job(session, claim.job_id)


def _counted(seconds: ColumnElement[float]) -> ColumnElement[float]:
    """Working time: no long pauses, and none where the clock was set back."""
    return case((seconds > LONGEST_PAUSE_S, LONGEST_PAUSE_S), (seconds < 0, 0.0), else_=seconds)


def _decodings() -> dict[str, ColumnElement[int | None]]:
    """What the job notes of the rules that made these pixels; what is unknown stays so."""
    lowest, highest = Job.lowest_decoding, Job.highest_decoding
    is_lower, is_higher = (lowest == 0) | (lowest > DECODING), highest < DECODING
    return {
        "lowest_decoding": case((is_lower, DECODING), else_=lowest),
        "highest_decoding": case((is_higher, DECODING), else_=highest),
    }


def _row(job_id: int, outcome: Outcome) -> dict[str, Any]:
    row: dict[str, Any] = {
        "job_id": job_id,
        "image_id": outcome.image_id,
        "error_code": outcome.error_code,
        "error_detail": outcome.error_detail,
        "warning": outcome.warning,
        "decoding": DECODING,
        "heat": outcome.heat,
        "similarity_key": outcome.similarity_key,
        "network": outcome.network,
    }
    if outcome.probabilities is None:
        return row | {"class_index": None, "confidence": None, "probabilities": None}
    millionths = to_millionths(outcome.probabilities)
    confidence = max(millionths)
    return row | {
        "class_index": millionths.index(confidence),
        "confidence": confidence,
        "probabilities": [value / MILLION for value in millionths],
    }


def _add_to_histogram(session: Session, job_id: int, rows: list[dict[str, Any]]) -> None:
    good = [row for row in rows if row["error_code"] is None]
    if not good:
        return
    bins = Counter(map(_bin_of, good))
    neither = Counter(_bin_of(row) for row in good if is_neither(row["probabilities"]))
    added = insert_or(session, HistogramBin)
    values = [
        {"job_id": job_id, "class_index": class_index, "bin": bin_, "n": n, "n_neither": neither[class_index, bin_]}
        for (class_index, bin_), n in sorted(bins.items())
    ]
    sums = {"n": HistogramBin.n + added.excluded.n, "n_neither": HistogramBin.n_neither + added.excluded.n_neither}
    session.execute(
        added.on_conflict_do_update(index_elements=["job_id", "class_index", "bin"], set_=sums),
        values,
    )


def _bin_of(row: dict[str, Any]) -> tuple[int, int]:
    return row["class_index"], row["confidence"] // 1000
