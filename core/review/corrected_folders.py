"""Folders that people rearranged, read as corrections: what lies in `cat/` is a cat. Contents count, names do not.

    path, SHA-256 ─► is it a picture of the job? ─► what its folder says ─► where that is not what is shown: a label

The labels are one batch, so that all of it can be undone at once (core/review/bulk_labels.py).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from core.base.clock import db_now
from core.base.database import Database, locked
from core.base.errors import Conflict, Invalid
from core.base.file_names import safe_name
from core.base.network_catalog import CLASSES
from core.base.states import BatchKind, JobKind, LabelSource
from core.jobs import jobs
from core.jobs.confidence import UNSURE, shown_label
from core.labels.labels import NEITHER, human_label_of, label_of_path
from core.orm.jobs import Job
from core.orm.labels import Label
from core.orm.results import Result
from core.orm.review import LabelBatch
from core.orm.uploads import Image

UNLABELLED = "unlabelled"
SAYS_NOTHING = (UNSURE, UNLABELLED)
LISTS = ("errors.csv", "renamed.csv")  # lie in sorted ZIPs
MAX_NAMED = 100
LOOKED_UP = 500
SLICE = 1000


@dataclass(frozen=True)
class FolderCorrections:
    """What an import of corrections has changed. Counts are of contents, each once; `n_unknown` is of files.

    Attributes:
        batch: The labels that were written, as a batch; None when there were none.
        n_corrected: Contents whose folder differs from the label shown.
        n_confirmed: Contents whose folder is the label shown; nothing was written.
        n_silent: Contents in folders that are no label, such as `unsure`.
        n_unknown: Files that are none of the job's pictures.
        n_ambiguous: Contents in folders of two classes; nothing was written.
        unknown: Paths of the first unknown ones.
        ambiguous: A sentence for each of the first ambiguous ones.
    """

    batch: UUID | None
    n_corrected: int
    n_confirmed: int
    n_silent: int
    n_unknown: int
    n_ambiguous: int
    unknown: list[str]
    ambiguous: list[str]


class _Placed(NamedTuple):
    """Where a content was found first, and the label of its folder."""

    image_id: int
    path: str
    label: str | None
    shown: str | None
    is_ambiguous: bool = False


class _Picture(NamedTuple):
    image_id: int
    shown: str | None
    sent: list[str]


def import_corrections(
    db: Database, job_uuid: UUID, batch_uuid: UUID, user_id: int | None, files: Iterable[tuple[str, bytes]]
) -> FolderCorrections:
    """Read where files lie now, and write a label where that is not what is shown of them.

    Args:
        batch_uuid: The caller's id of the labels: with the same one again, nothing is written twice.
        files: Path and SHA-256 of each file; read once, a few at a time.
    Raises:
        NotFound, Gone: As `jobs.get_job`.
        Invalid: The job classifies nothing.
        Conflict: The id is that of another batch.
    """
    with db.read() as session:
        job = _get_job(session, job_uuid)
        _find_batch(session, batch_uuid, job)
    places = _place(db, job, files)
    certain = {sha256: one for sha256, one in places.contents.items() if not one.is_ambiguous}
    news = [(sha256, one) for sha256, one in certain.items() if one.label not in (None, one.shown)]
    n_silent = sum(one.label is None for one in certain.values())
    batch = _write(db, job, batch_uuid, user_id, news)
    return FolderCorrections(
        batch=batch.uuid if batch else None,
        n_corrected=batch.n_labels if batch else 0,
        n_confirmed=len(certain) - len(news) - n_silent,
        n_silent=n_silent,
        n_unknown=places.n_unknown,
        n_ambiguous=len(places.contents) - len(certain),
        unknown=places.unknown,
        ambiguous=places.ambiguous,
    )


def folder_label(path: str, sent: Iterable[str]) -> str | None:
    """What the nearest folder says that names a class, `neither`, or nothing (`unsure`, `unlabelled`).

    Folders that were uploaded like that are no news: `dog/photos/cats/1.jpg` was put into `dog` when it was sent as
    `photos/cats/1.jpg`. They only count where nothing stands in front of them.

    Args:
        path: Where it lies now.
        sent: The paths under which this content was sent.
    """
    folders = path.split("/")[:-1]
    n_sent = max((_n_common(folders, one.split("/")[:-1]) for one in sent), default=0)
    in_front = "/".join([*folders[: len(folders) - n_sent], ""])
    label = label_of_path(in_front + "x", (*CLASSES, NEITHER, *SAYS_NOTHING))
    label = label or label_of_path(path, (*CLASSES, NEITHER, *SAYS_NOTHING))
    return None if label in SAYS_NOTHING else label


def _n_common(folders: Sequence[str], sent: Sequence[str]) -> int:
    """How many folders, from the last one on, both have; sorted ones may have got safe names."""
    n_common = 0
    for one, other in zip(reversed(folders), reversed(sent), strict=False):
        if one not in (other, safe_name(other)):
            break
        n_common += 1
    return n_common


def _get_job(session: Session, uuid: UUID) -> Job:
    job = jobs.get_job(session, uuid)
    if job.kind != JobKind.CLASSIFY:
        raise Invalid(f"job: expected one that classifies pictures; {uuid} does not.")
    return job


@dataclass
class _Places:
    contents: dict[bytes, _Placed] = field(default_factory=dict)
    n_unknown: int = 0
    unknown: list[str] = field(default_factory=list)
    ambiguous: list[str] = field(default_factory=list)


def _place(db: Database, job: Job, files: Iterable[tuple[str, bytes]]) -> _Places:
    places, left = _Places(), iter(files)
    while some := list(islice(left, LOOKED_UP)):
        with db.read() as session:
            pictures = _find_pictures(session, job, {sha256 for _, sha256 in some})
        for path, sha256 in some:
            if sha256 in pictures:
                _add(places, path, sha256, pictures[sha256])
            elif path.rpartition("/")[2] not in LISTS:
                places.n_unknown += 1
                places.unknown += [path] if len(places.unknown) < MAX_NAMED else []
    return places


def _add(places: _Places, path: str, sha256: bytes, picture: _Picture) -> None:
    label = folder_label(path, picture.sent)
    before = places.contents.get(sha256)
    if before is None or (before.label is None and label is not None):
        places.contents[sha256] = _Placed(picture.image_id, path, label, picture.shown)
    elif label is not None and label != before.label:
        if not before.is_ambiguous and len(places.ambiguous) < MAX_NAMED:
            places.ambiguous.append(
                f"{before.path} ({before.label}) and {path} ({label}) are the same picture. No label was changed:"
                " keep it in one of the two folders and upload them again."
            )
        places.contents[sha256] = before._replace(is_ambiguous=True)


def _find_pictures(session: Session, job: Job, contents: set[bytes]) -> dict[bytes, _Picture]:
    of_job = (Result.image_id == Image.id) & (Result.job_id == job.id)
    rows = session.execute(
        select(Image.id, Image.path, Image.sha256, Result.class_index, Result.confidence, human_label_of(Image))
        .outerjoin(Result, of_job)
        .where(Image.upload_id == job.upload_id, Image.sha256.in_(contents), Image.n_bytes > 0)
        .order_by(Image.id)
    )
    found: dict[bytes, _Picture] = {}
    for image_id, path, sha256, class_index, confidence, human_label in rows:
        shown = human_label or shown_label(class_index, confidence, job.threshold_milli)
        found.setdefault(sha256, _Picture(image_id, shown, [])).sent.append(path)
    return found


def _find_batch(session: Session, uuid: UUID, job: Job, lock: bool = False) -> LabelBatch | None:
    query = select(LabelBatch).where(LabelBatch.uuid == uuid)
    batch = session.scalar(locked(query) if lock else query)
    if batch is not None and (batch.job_id, batch.kind) != (job.id, BatchKind.FOLDERS):
        raise Conflict(f"Batch {uuid} exists and is a different batch. Choose a new id.")
    if batch is not None and session.scalar(select(LabelBatch.id).where(LabelBatch.undo_of_id == batch.id)):
        raise Conflict(f"Batch {uuid} was undone. Choose a new id to import the labels again.")
    return batch


def _write(
    db: Database, job: Job, uuid: UUID, user_id: int | None, news: Sequence[tuple[bytes, _Placed]]
) -> LabelBatch | None:
    """Write labels slice by slice. Killed in between, the same folders sent again bring the rest."""
    left = iter(news)
    batch: LabelBatch | None
    with db.write() as session:
        batch = _find_batch(session, uuid, job, lock=True)
        if batch is None and news:
            batch = LabelBatch(
                uuid=uuid,
                job_id=job.id,
                user_id=user_id,
                kind=BatchKind.FOLDERS,
                wanted={},
                threshold_milli=job.threshold_milli,
                is_whole=False,
            )
            session.add(batch)
    while some := list(islice(left, SLICE)):
        with db.write() as session:
            batch = _find_batch(session, uuid, job, lock=True)
            assert batch is not None
            session.execute(insert(Label), [_row(batch, sha256, one) for sha256, one in some])
            batch.n_labels += len(some)
            batch.finished_at = db_now()
    return batch


def _row(batch: LabelBatch, sha256: bytes, content: _Placed) -> dict[str, Any]:
    return {
        "sha256": sha256,
        "image_id": content.image_id,
        "label": content.label,
        "source": LabelSource.CORRECTION,
        "user_id": batch.user_id,
        "batch_id": batch.id,
    }
