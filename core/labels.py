"""What people, and folders' names, say of contents. Append-only; the newest counts, people outrank folders."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from sqlalchemy import ScalarSelect, case, insert, select
from sqlalchemy.orm import Session, aliased

from core.errors import Invalid, NotFound
from core.networks import CLASSES
from core.orm import Image, Label, LabelSource, Upload

NEITHER = "neither"


@dataclass(frozen=True)
class NewLabel:
    """What somebody says of one image; `label` None withdraws what people said before."""

    image_id: int
    label: str | None
    source: LabelSource = LabelSource.CORRECTION


def label_of_path(path: str, known: Sequence[str] = (*CLASSES, NEITHER)) -> str | None:
    """The class that the nearest folder names.

    A folder names a class when both are equal, casefolded and less one final s (`Cats` is `cat`).
    """
    by_name = {_singular(name): name for name in known}
    for folder in reversed(PurePosixPath(path).parts[:-1]):
        if _singular(folder) in by_name:
            return by_name[_singular(folder)]
    return None


def _singular(name: str) -> str:
    return name.casefold().removesuffix("s")


def add_folder_labels(session: Session, user_id: int | None, images: Iterable[tuple[bytes, str]]) -> None:
    """Record what the folders' names say of (sha256, path); images below no known name get nothing."""
    rows = [
        {"sha256": sha256, "label": label, "source": LabelSource.FOLDER, "user_id": user_id}
        for sha256, path in images
        if (label := label_of_path(path)) is not None
    ]
    if rows:
        session.execute(insert(Label), rows)


def add_labels(session: Session, user_id: int | None, items: Sequence[NewLabel]) -> int:
    """Record what a person says of images; nothing is overwritten.

    Returns:
        How many labels were written.
    Raises:
        NotFound: An image does not exist, or was deleted; then nothing is written.
        Invalid: A label is neither a class, nor `neither`, nor None.
    """
    for item in items:
        if item.label is not None and item.label not in (*CLASSES, NEITHER):
            raise Invalid(f"label: expected one of {', '.join(CLASSES)}, {NEITHER} or null; got {item.label!r}.")
    digests = _digests(session, {item.image_id for item in items})
    rows = [
        {
            "sha256": digests[item.image_id],
            "image_id": item.image_id,
            "label": item.label,
            "source": item.source,
            "user_id": user_id,
        }
        for item in items
    ]
    if rows:
        session.execute(insert(Label), rows)
    return len(rows)


def _digests(session: Session, image_ids: set[int]) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    wanted = sorted(image_ids)
    for start in range(0, len(wanted), 500):
        slice_ = wanted[start : start + 500]
        alive = Image.id.in_(slice_) & Upload.deleted_at.is_(None)
        rows = session.execute(select(Image.id, Image.sha256).join(Upload, Upload.id == Image.upload_id).where(alive))
        found |= dict(rows.all())
    if missing := image_ids - found.keys():
        raise NotFound(f"There is no image {min(missing)}; no label was written.")
    return found


def human_label_of(image: type[Image]) -> ScalarSelect[str | None]:
    """SQL for what counts as said by people of an image: the newest label, a person's before a folder's.

    A person's NULL withdraws what people said; what the folder said then counts again.
    """
    said, newer = aliased(Label), aliased(Label)
    by_folder = said.source == LabelSource.FOLDER
    overtaken = (
        select(newer.id)
        .where(newer.sha256 == said.sha256, newer.id > said.id, newer.source != LabelSource.FOLDER)
        .correlate(said)
        .exists()
    )
    return (
        select(said.label)
        .where(said.sha256 == image.sha256, said.label.is_not(None), by_folder | ~overtaken)
        .order_by(case((by_folder, 1), else_=0), said.id.desc())
        .limit(1)
        .correlate(image)
        .scalar_subquery()
    )
