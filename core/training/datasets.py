"""What can be trained on: contents with a label, each once, and whether that is enough.

    uploads ─► images with a label ─► contents, each once ─► those not known to be unreadable ─► parts

Labels by people outrank folders, and the newest counts (core/labels/labels.py); a person's label of a picture that was
only classified counts as well. Of chosen uploads, labels count that wait for the training to be accepted.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, select
from sqlalchemy.orm import Session

from core.base.database import slices
from core.base.network_catalog import CLASSES, TRAINABLE
from core.labels.folder_labels import expected_label_of
from core.labels.folder_names import quoted
from core.labels.labels import NEITHER, human_label_of
from core.labels.undo import stands
from core.orm.jobs import Job
from core.orm.labels import Label, PendingLabel
from core.orm.results import Result
from core.orm.training import NearDuplicate
from core.orm.uploads import Image, Shard, Upload
from core.training.splits import Split, find_splits

MAX_UNREADABLE = 0.2  # more are a sign that something is wrong
MIN_EACH = 10  # of each class: with fewer, even whether it has learned anything would be chance
NAMED = 5


@dataclass(frozen=True, slots=True)
class Content:
    """A content that can be trained on, by the first image that has it."""

    image_id: int
    sha256: bytes
    label: str


@dataclass(frozen=True)
class Dataset:
    """The labelled contents of the chosen uploads.

    Attributes:
        contents: Each content once, not known to be unreadable; in the order in which they came.
        by_class: How many contents of each class and of `neither`, unreadable ones left out.
        by_part: How many contents of the classes are in each split.
        n_files: Files with a label.
        n_duplicates: Files whose content came before.
        n_unreadable: Contents that a job could not read, that were seen to be truncated or no pictures when they
            came in, or that were too large to be sent.
        n_unlabelled: Files without a label; 0 when everything labelled was requested.
        notes: Sentences on what may be unintended.
    """

    contents: list[Content]
    by_class: dict[str, int]
    by_part: dict[str, int]
    n_files: int
    n_duplicates: int
    n_unreadable: int
    n_unlabelled: int
    notes: list[str]

    @property
    def problem(self) -> str | None:
        """Why this cannot be trained on and what to do, or None when it can."""
        return _problem(self)

    def summary(self) -> dict[str, Any]:
        """All but the contents, as JSON keeps it."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "contents"}


@dataclass(frozen=True, slots=True)
class ImageLocation:
    """Where the bytes of an image are; `declared_bytes` is set when they were too many to be sent.

    With `thumbnails_key` only a small picture is left.
    """

    image_id: int
    blob_key: str
    offset: int
    n_bytes: int
    declared_bytes: int | None
    thumbnails_key: str | None


def find_labelled(
    session: Session, upload_ids: Sequence[int] | None = None, labels_since: datetime | None = None
) -> Dataset:
    """What can be trained on.

    Args:
        upload_ids: The uploads to use; None for everything labelled.
        labels_since: Leave out contents without a label since then; None leaves out none.
    """
    chosen = _chosen_images(upload_ids, labels_since)
    label = human_label_of(Image) if upload_ids is None else expected_label_of(Image, upload_ids)
    columns = (Image.id, Image.sha256, Image.path, Image.n_bytes, Image.declared_bytes, Image.error_code)
    query = select(*columns, label.label("human")).join(Upload, Upload.id == Image.upload_id).where(chosen)
    rows = session.execute(query.order_by(Image.id)).all()
    labelled = [row for row in rows if row.human is not None]
    first: dict[bytes, Any] = {}
    for row in labelled:
        first.setdefault(row.sha256, row)
    unreadable = _find_unreadable(session, chosen) | {row.sha256 for row in first.values() if not _is_readable(row)}
    left_out = unreadable | set(session.scalars(select(NearDuplicate.sha256).where(NearDuplicate.is_bridge)))
    contents = [Content(row.id, row.sha256, row.human) for row in first.values() if row.sha256 not in left_out]
    by_class = Counter(content.label for content in contents)
    by_part = Counter(find_splits(session, [one.sha256 for one in contents if one.label in CLASSES]).values())
    return Dataset(
        contents=contents,
        by_class={name: by_class[name] for name in (*CLASSES, NEITHER)},
        by_part={str(part): by_part[part] for part in Split},
        n_files=len(labelled),
        n_duplicates=len(labelled) - len(first),
        n_unreadable=len(unreadable & first.keys()),
        n_unlabelled=len(rows) - len(labelled),
        notes=[
            *_same_but_for_case(row.path for row in labelled),
            *_unknown(row.path for row in rows if not row.human),
            *_of_neither(by_class[NEITHER]),
        ],
    )


def _chosen_images(upload_ids: Sequence[int] | None, labels_since: datetime | None) -> ColumnElement[bool]:
    """The images of these uploads, or all that have a label; their originals must be there."""
    named = select(Label.sha256).where(Label.label.is_not(None), stands(Label))
    chosen = and_(Upload.deleted_at.is_(None), Upload.discarded_at.is_(None))
    chosen &= Image.sha256.in_(named) if upload_ids is None else Upload.id.in_(upload_ids)
    if labels_since is not None:
        pending = select(PendingLabel.sha256).where(PendingLabel.upload_id.in_(upload_ids or ()))
        chosen &= Image.sha256.in_(named.where(Label.created_at >= labels_since).union(pending))
    return chosen


def _is_readable(row: Any) -> bool:
    return row.declared_bytes is None and row.n_bytes > 0 and row.error_code is None


def find_any(session: Session, limit: int) -> list[Content]:
    """The newest stored pictures, whatever their label; in place of an unknown label stands `NEITHER`."""
    is_there = Upload.deleted_at.is_(None) & Upload.discarded_at.is_(None)
    query = select(Image.id, Image.sha256).join(Upload, Upload.id == Image.upload_id).where(is_there)
    newest = session.execute(query.order_by(Image.id.desc()).limit(limit))
    return [Content(row.id, row.sha256, NEITHER) for row in newest]


def find_locations(session: Session, image_ids: Sequence[int]) -> dict[int, ImageLocation]:
    """Where the bytes of these images are, those that still exist."""
    places: dict[int, ImageLocation] = {}
    columns = (Image.id, Shard.blob_key, Image.offset, Image.n_bytes, Image.declared_bytes, Shard.thumbnails_key)
    for some in slices(image_ids):
        query = select(*columns).join(Shard, Shard.id == Image.shard_id)
        rows: Iterable[Row[int, str, int, int, int | None, str | None]] = session.execute(
            query.where(Image.id.in_(some))
        )
        places |= {row[0]: ImageLocation(*row) for row in rows}
    return places


def _find_unreadable(session: Session, chosen: ColumnElement[bool]) -> set[bytes]:
    """Contents of the chosen uploads that a job over them ended with an error for."""
    query = (
        select(Image.sha256)
        .join(Upload, Upload.id == Image.upload_id)
        .join(Job, Job.upload_id == Upload.id)
        .join(Result, (Result.job_id == Job.id) & (Result.image_id == Image.id))
        .where(chosen, Result.error_code.is_not(None))
    )
    return set(session.scalars(query.distinct()))


def _same_but_for_case(paths: Iterable[str]) -> list[str]:
    """A sentence for folders that some file systems do not distinguish."""
    spellings: dict[str, set[str]] = {}
    for folder in {str(PurePosixPath(path).parent) for path in paths}:
        spellings.setdefault(folder.casefold(), set()).add(folder)
    return [
        f"The folders {' and '.join(map(quoted, sorted(some)))} differ only in case; all of them count as the same"
        " class. If that is wrong, rename one of them and upload them again."
        for some in spellings.values()
        if len(some) > 1
    ]


def _unknown(paths: Iterable[str]) -> list[str]:
    folders = Counter(PurePosixPath(path).parent.name for path in paths)
    if not folders:
        return []
    names = ", ".join(sorted(quoted(name) if name else "(none)" for name, _ in folders.most_common(NAMED)))
    return [
        f"{folders.total()} files lie in folders that name none of the classes {', '.join(CLASSES)} (or {NEITHER}) and"
        f" are skipped: {names}. If they show one of these, rename their folder and upload them again."
    ]


def _of_neither(n: int) -> list[str]:
    if not n:
        return []
    taught = ", ".join(name for name, network in TRAINABLE.items() if network.knows_neither)
    others = ", ".join(name for name, network in TRAINABLE.items() if not network.knows_neither)
    return [
        f"{taught} is also trained on the {n} pictures of neither. {others} has no output for them, so they only help"
        " to choose its threshold."
    ]


def _problem(dataset: Dataset) -> str | None:
    folders = " and ".join(f"{name}s" for name in CLASSES)
    missing = [name for name in CLASSES if not dataset.by_class[name]]
    notes = " ".join(["", *dataset.notes])
    n_all = len(dataset.contents) + dataset.n_unreadable
    if dataset.n_unreadable > MAX_UNREADABLE * n_all:
        return (
            f"{dataset.n_unreadable:,} of {n_all:,} pictures cannot be read: they are incomplete, empty or not"
            f" pictures. Up to {MAX_UNREADABLE:.0%} would be skipped; more suggest that something is wrong. Copy"
            f" them again from their source, or remove them.{notes}"
        )
    if len(missing) == len(CLASSES):
        return f"There are no labelled pictures. Put them into folders named {folders} and upload those.{notes}"
    if missing:
        present = next(name for name in CLASSES if name not in missing)
        return (
            f"All {dataset.by_class[present]} pictures are of the class {present}; a network learns to tell classes"
            f" apart. Add a folder named {missing[0]}s.{notes}"
        )
    if scarce := [name for name in CLASSES if dataset.by_class[name] < MIN_EACH]:
        counts = ", ".join(f"{dataset.by_class[name]} of {name}" for name in CLASSES)
        wanted = " and ".join(scarce)
        return f"Expected at least {MIN_EACH} pictures of each class; got {counts}. Add some of {wanted}.{notes}"
    if empty := [part for part in Split if not dataset.by_part[part]]:
        return (
            f"None of the {len(dataset.contents)} pictures is in the {empty[0].shown_name} split, which gets one in"
            f" ten. Add pictures; a hundred are enough.{notes}"
        )
    return None
