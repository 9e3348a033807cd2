"""The folders of an upload, as its files' paths name them, with how many files each holds."""

from collections import Counter

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.orm.uploads import Image

SLICE = 10_000


def count_folders(session: Session, upload_id: int) -> dict[str, int]:
    """How many files lie in each folder or in folders in it; only an upload that is complete stays like that."""
    counts: Counter[str] = Counter()
    last = -1
    while True:
        page = select(Image.ordinal, Image.path).where(Image.upload_id == upload_id, Image.ordinal > last)
        rows = session.execute(page.order_by(Image.ordinal).limit(SLICE)).all()
        counts.update(row.path.rpartition("/")[0] for row in rows)
        if len(rows) < SLICE:
            return _with_parents(counts)
        last = rows[-1].ordinal


def _with_parents(own: Counter[str]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for folder, n in own.items():
        while folder:
            counts[folder] += n
            folder = folder.rpartition("/")[0]
    return dict(counts)


def list_children(counts: dict[str, int], folder: str) -> list[tuple[str, int]]:
    """The folders directly in one, by name; `""` is the top."""
    prefix = f"{folder}/" if folder else ""
    names = [name for name in counts if name.startswith(prefix) and "/" not in name[len(prefix) :]]
    return [(name, counts[name]) for name in sorted(names)]
