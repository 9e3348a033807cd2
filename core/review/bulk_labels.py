"""Bulk labels: all pictures that match a filter, labelled slice by slice, so that no transaction is long.

A batch is a row, and its progress is written with each slice: an interrupted batch resumes with the same call, and a
batch can be undone as a whole.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select
from sqlalchemy.orm import Session

from core.accounts.audit_log import Action, record
from core.accounts.rights import Actor, check_owner
from core.base.clock import db_now
from core.base.database import Database, locked, slices
from core.base.errors import Conflict, IdTaken, Invalid, NotFound
from core.base.states import BatchKind, JobKind, LabelSource
from core.jobs import confidence, jobs, result_filter
from core.jobs.result_filter import PROBABLE, ResultFilter
from core.labels.labels import NEITHER, check_label, human_label_of, person_label_of
from core.labels.undo import find_valid_labels, undo_newest
from core.orm.jobs import Job
from core.orm.labels import Label
from core.orm.results import Result
from core.orm.review import LabelBatch
from core.orm.uploads import Image

SLICE = 1000
NOTHING_BUT_ORDER = {"sort"}


def create_batch(
    session: Session,
    actor: Actor,
    uuid: UUID,
    job_uuid: UUID,
    kind: BatchKind,
    wanted: ResultFilter,
    label: str | None = None,
    threshold: float | None = None,
    image_ids: Sequence[int] | None = None,
    except_ids: Sequence[int] = (),
) -> LabelBatch:
    """Begin to label all good results of a job that a filter lets through; `run_batch` does it.

    Args:
        uuid: The caller's id: with the same one again, the batch that was begun is returned.
        kind: LABEL gives all of them `label` (None withdraws), CONFIRM says that what the model shows is right, for
            those without a label by a person; unsure ones, which have no label, are left out, unless the filter is for
            what is probably neither: then they become `neither`.
        threshold: The one that the pictures were seen at; the job's when not given.
        image_ids: Only these of them.
        except_ids: All but these of them.
    Raises:
        NotFound, Gone: As `jobs.get_job`.
        Conflict: The id is that of something else.
        Forbidden: It is that of somebody else's batch.
        Invalid: A filter or the label has a value that does not exist, or the job classifies nothing.
    """
    job = jobs.get_job(session, job_uuid)
    existing = session.scalar(select(LabelBatch).where(LabelBatch.uuid == uuid))
    if existing is not None:
        return _same_batch(actor, existing, (job.id, kind, label))
    threshold_milli = _check_request(job, label, wanted, threshold)
    batch = LabelBatch(uuid=uuid, job_id=job.id, user_id=actor.user_id, kind=kind, label=label)
    batch.wanted = _describe_selection(wanted, image_ids, except_ids)
    batch.threshold_milli = threshold_milli
    is_everything = image_ids is None and not except_ids and _lets_everything_through(wanted)
    batch.is_whole = kind == BatchKind.CONFIRM and is_everything
    session.add(batch)
    session.flush()
    record(session, actor, Action.LABELS_ADD, "job", job.uuid, kind=kind, label=label, batch=uuid)
    return batch


def _same_batch(actor: Actor, batch: LabelBatch, asked: tuple[int, BatchKind, str | None]) -> LabelBatch:
    if (batch.job_id, batch.kind, batch.label) != asked:
        raise IdTaken(f"Batch {batch.uuid} exists and is a different batch. Choose a new id.")
    check_owner(actor, batch.user_id, f"batch {batch.uuid}")
    return batch


def _check_request(job: Job, label: str | None, wanted: ResultFilter, threshold: float | None) -> int:
    """The threshold in thousandths, once everything that was asked for is known to exist."""
    if job.kind != JobKind.CLASSIFY:
        raise Invalid(f"job: expected one that classifies pictures; {job.uuid} does not.")
    check_label(label)
    threshold_milli = job.threshold_milli if threshold is None else jobs.to_milli(threshold)
    list(result_filter.conditions(wanted, threshold_milli))  # refuses what it does not know
    return threshold_milli


def _describe_selection(
    wanted: ResultFilter, image_ids: Sequence[int] | None, except_ids: Sequence[int]
) -> dict[str, Any]:
    return {
        "filter": asdict(wanted),
        "image_ids": None if image_ids is None else sorted(image_ids),
        "except_ids": sorted(except_ids),
    }


def _lets_everything_through(wanted: ResultFilter) -> bool:
    everything = asdict(ResultFilter())
    return all(value == everything[name] for name, value in asdict(wanted).items() if name not in NOTHING_BUT_ORDER)


def undo_batch(session: Session, actor: Actor, uuid: UUID, of: UUID) -> LabelBatch:
    """Create the undo of a batch; `run_batch` does it. Labels given since then stay.

    Raises:
        NotFound: There is no such batch.
        Forbidden: Somebody else made it.
        Conflict: It is an undo itself, or the id is that of something else.
    """
    batch = get_batch(session, of, lock=True)
    check_owner(actor, batch.user_id, f"batch {of}")
    if batch.kind == BatchKind.UNDO:
        raise Conflict(f"Batch {of} undid another batch and cannot be undone. Label the pictures again.")
    existing = session.scalar(select(LabelBatch).where(LabelBatch.undo_of_id == batch.id))
    if existing is not None:
        return existing
    if session.scalar(select(LabelBatch.id).where(LabelBatch.uuid == uuid)) is not None:
        raise IdTaken(f"Batch {uuid} exists and is a different batch. Choose a new id.")
    batch.finished_at = batch.finished_at or db_now()  # what is half done is not gone on with
    undo = LabelBatch(
        uuid=uuid,
        job_id=batch.job_id,
        user_id=actor.user_id,
        kind=BatchKind.UNDO,
        wanted={},
        threshold_milli=batch.threshold_milli,
        is_whole=False,
        undo_of_id=batch.id,
    )
    session.add(undo)
    session.flush()
    record(session, actor, Action.LABELS_UNDO, "batch", of, n_labels=batch.n_labels)
    return undo


def get_batch(session: Session, uuid: UUID, lock: bool = False) -> LabelBatch:
    """A batch by the id its caller chose.

    Raises:
        NotFound: There is none.
    """
    query = select(LabelBatch).where(LabelBatch.uuid == uuid)
    batch = session.scalar(locked(query) if lock else query)
    if batch is None:
        raise NotFound(f"There is no batch {uuid}.")
    return batch


def find_undo(session: Session, batch: LabelBatch) -> UUID | None:
    """The batch that takes this one back, or None."""
    return session.scalar(select(LabelBatch.uuid).where(LabelBatch.undo_of_id == batch.id))


def run_batch(db: Database, uuid: UUID, max_s: float) -> LabelBatch:
    """Write slice after slice, each in a transaction of its own, until nothing is left or `max_s` seconds are over.

    Returns:
        The batch as it is then: `finished_at` is None when there is more to do; the next call continues.
    """
    give_up_at = time.monotonic() + max_s
    while True:
        with db.read() as session:
            batch = get_batch(session, uuid)
            slice_ = None if batch.finished_at else _read_slice(session, batch)
        if slice_ is None:
            return batch
        with db.write() as session:
            batch = get_batch(session, uuid, lock=True)
            # Two calls may run the same batch: of both only one finds it where it left it.
            if batch.finished_at is None and (not slice_ or slice_[0].id > batch.position):
                _write_slice(session, batch, slice_)
        if time.monotonic() >= give_up_at:
            return batch


def _read_slice(session: Session, batch: LabelBatch) -> list[Row[Any]]:
    """The next slice: images with their predictions, or for an undo the labels to undo."""
    if batch.undo_of_id is not None:
        return list(
            session.execute(
                select(Label.id, Label.sha256, Label.image_id)
                .where(Label.batch_id == batch.undo_of_id, Label.id > batch.position)
                .order_by(Label.id)
                .limit(SLICE)
            )
        )
    job = session.get_one(Job, batch.job_id)
    wanted = ResultFilter(**batch.wanted["filter"])
    query = (
        select(Image.id, Image.sha256, Result.class_index, Result.confidence)
        .join(Result, Result.image_id == Image.id)
        .where(Image.upload_id == job.upload_id, Result.job_id == job.id, Result.error_code.is_(None))
        .where(Result.image_id > batch.position, *result_filter.conditions(wanted, batch.threshold_milli))
    )
    if batch.wanted["image_ids"] is not None:
        query = query.where(Image.id.in_(batch.wanted["image_ids"]))
    if batch.wanted.get("except_ids"):  # batches of earlier versions do not know it
        query = query.where(Image.id.not_in(batch.wanted["except_ids"]))
    return list(session.execute(query.order_by(Result.image_id).limit(SLICE)))


def _write_slice(session: Session, batch: LabelBatch, slice_: list[Row[Any]]) -> None:
    if slice_:
        rows = _undoing(session, batch, slice_) if batch.undo_of_id is not None else _labelling(session, batch, slice_)
        if rows:
            session.execute(insert(Label), rows)
        batch.position = slice_[-1].id
        batch.n_labels += len(rows)
        batch.n_skipped += len(slice_) - len(rows)
    if len(slice_) < SLICE:
        batch.finished_at = db_now()
    session.flush()
    session.refresh(batch)


def _labelling(session: Session, batch: LabelBatch, slice_: list[Row[Any]]) -> list[dict[str, Any]]:
    words: dict[int, str | None] = {}
    is_withdrawal = batch.kind == BatchKind.LABEL and batch.label is None
    word_of = human_label_of if is_withdrawal else person_label_of  # NULL takes folders' labels back, too
    for some in slices(row.id for row in slice_):
        words |= dict(session.execute(select(Image.id, word_of(Image)).where(Image.id.in_(some))).all())
    rows: dict[bytes, dict[str, Any]] = {}
    for row in slice_:
        is_there = row.id in words  # else it was deleted meanwhile
        if is_there and row.sha256 not in rows and _has_news(batch, row, words[row.id]):
            shown = confidence.shown_label(row.class_index, row.confidence, batch.threshold_milli)
            label = batch.label if batch.kind == BatchKind.LABEL else NEITHER if _is_of_neither(batch) else shown
            rows[row.sha256] = {
                "sha256": row.sha256,
                "image_id": row.id,
                "label": label,
                "source": LabelSource.CONFIRMATION if label == shown else LabelSource.CORRECTION,
                "user_id": batch.user_id,
                "batch_id": batch.id,
            }
    return list(rows.values())


def _has_news(batch: LabelBatch, row: Row[Any], word: str | None) -> bool:
    """Whether a label differs from what people have given already."""
    if batch.kind == BatchKind.LABEL:
        return word != batch.label
    return word is None and (_is_of_neither(batch) or row.confidence >= batch.threshold_milli * 1000)


def _is_of_neither(batch: LabelBatch) -> bool:
    """Whether all its pictures are probably neither."""
    return bool(batch.wanted["filter"].get("neither") == PROBABLE)  # batches of earlier versions do not know it


def _undoing(session: Session, batch: LabelBatch, slice_: list[Row[Any]]) -> list[dict[str, Any]]:
    stacks = find_valid_labels(session, {row.sha256 for row in slice_})
    rows = []
    for row in slice_:
        stack = stacks[row.sha256]
        if stack and stack[-1].batch_id == batch.undo_of_id:
            undo = {"sha256": row.sha256, "image_id": row.image_id, "user_id": batch.user_id, "batch_id": batch.id}
            rows.append(undo | undo_newest(stack))
    return rows
