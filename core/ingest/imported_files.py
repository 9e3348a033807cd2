"""The files of watched folders and buckets that schedules have taken in: known again by path, size and time."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.base.database import change, insert_or, slices
from core.orm.schedules import ImportedFile, Schedule

FORGET_SLICE = 5000


class SourceFile(NamedTuple):
    """A file as it was when it was looked at: its path as a hash, size and time of its last change."""

    path_key: bytes
    n_bytes: int
    mtime_ns: int


def path_key(source: str, path: bytes) -> bytes:
    """What a file of a source is known by."""
    return hashlib.sha256(source.encode("utf-8", "surrogateescape") + b"\0" + path).digest()


def find_new(session: Session, schedule_id: int, seen: Sequence[SourceFile]) -> set[SourceFile]:
    """Those of some files that a schedule has not taken in as they are now."""
    known: dict[bytes, tuple[int, int]] = {}
    for keys in slices(one.path_key for one in seen):
        query = select(ImportedFile).where(ImportedFile.schedule_id == schedule_id, ImportedFile.path_key.in_(keys))
        known |= {row.path_key: (row.n_bytes, row.mtime_ns) for row in session.scalars(query)}
    return {one for one in seen if known.get(one.path_key) != (one.n_bytes, one.mtime_ns)}


def remember(session: Session, schedule_id: int, run_id: int, seen: Iterable[SourceFile]) -> None:
    """Note files as taken in; what was known of the same paths is replaced."""
    rows = [{"schedule_id": schedule_id, "run_id": run_id, **one._asdict()} for one in sorted(set(seen))]
    insert = insert_or(session, ImportedFile)
    replaced = insert.on_conflict_do_update(
        index_elements=["schedule_id", "path_key"],
        set_={name: insert.excluded[name] for name in ("n_bytes", "mtime_ns", "run_id")},
    )
    if rows:
        session.execute(replaced, rows)


def forget_deleted(session: Session) -> int:
    """Forget some of what deleted schedules took in; 0 when nothing is left to forget."""
    gone = select(Schedule.id).where(Schedule.deleted_at.is_not(None))
    for schedule_id in session.scalars(gone).all():
        of_it = ImportedFile.schedule_id == schedule_id
        some = select(ImportedFile.path_key).where(of_it).limit(FORGET_SLICE)
        if n := change(session, delete(ImportedFile).where(of_it, ImportedFile.path_key.in_(some))):
            return n
    return 0
