"""Labels of contents by people and by folders' names. Append-only; the newest counts, people outrank folders.

Undoing a label appends one, too: see core/labels/undo.py.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, bindparam, case, select
from sqlalchemy.orm import Session, aliased

from core.base.database import insert_or, slices
from core.base.errors import Invalid
from core.base.network_catalog import CLASSES
from core.base.states import LabelSource
from core.labels.contents import digests_of
from core.labels.folder_names import plain_name
from core.labels.undo import LabelRecord, find_newest_labels, repeat_below, stands
from core.orm.labels import Label
from core.orm.uploads import Image

NEITHER = "neither"


@dataclass(frozen=True)
class NewLabel:
    """A label for one image; `label` None withdraws all labels before it, folders' too.

    Attributes:
        key: The sender's own; sent again, the label is not written a second time.
        undoes: The key of the label to undo, instead of adding one. Nothing happens when it no longer counts: a newer
            label was given, or it was undone already.
    """

    image_id: int
    label: str | None
    source: LabelSource = LabelSource.CORRECTION
    key: UUID | None = None
    undoes: UUID | None = None


def label_of_path(path: str, known: Sequence[str] = (*CLASSES, NEITHER)) -> str | None:
    """The class that the nearest folder names.

    A folder names a class when both are equal as `plain_name` and less one final s (`Cats (1)` is `cat`).
    """
    by_name = {_singular(name): name for name in known}
    for folder in reversed(PurePosixPath(path).parts[:-1]):
        if _singular(folder) in by_name:
            return by_name[_singular(folder)]
    return None


def _singular(name: str) -> str:
    return plain_name(name).removesuffix("s")


def check_labels(items: Iterable[NewLabel]) -> None:
    """Check that the labels exist.

    Raises:
        Invalid: As `check_label`.
    """
    for item in items:
        check_label(item.label)


def check_label(label: str | None) -> None:
    """Check that a label exists; None withdraws one.

    Raises:
        Invalid: It is neither a class, nor `neither`, nor None.
    """
    if label is not None and label not in (*CLASSES, NEITHER):
        raise Invalid(f"label: expected one of {', '.join(CLASSES)}, {NEITHER} or null; got {label!r}.")


def add_labels(
    session: Session,
    user_id: int | None,
    items: Sequence[NewLabel],
    audit_id: int | None = None,
    batch_id: int | None = None,
) -> int:
    """Write labels by a person, in this order; nothing is overwritten.

    Args:
        audit_id: The audit that they belong to.
        batch_id: The batch that they belong to.
    Returns:
        How many labels were written.
    Raises:
        NotFound: An image does not exist, or was deleted; then nothing is written.
        Invalid: As `check_label`.
    """
    check_labels(items)
    digests = digests_of(session, {item.image_id for item in items})
    known = _known_keys(session, [item.key for item in items if item.key])
    n_undoes = Counter(digests[item.image_id] for item in items if item.undoes)
    stacks = find_newest_labels(session, {sha256: n + 1 for sha256, n in n_undoes.items()})
    rows: list[dict[str, Any]] = []
    for item in items:
        if item.key in known:
            continue
        sha256 = digests[item.image_id]
        row = {"sha256": sha256, "image_id": item.image_id, "user_id": user_id, "batch_id": batch_id}
        row |= {"key": item.key, "undone_key": item.undoes}
        stack = stacks.get(sha256, [])
        if item.undoes is None:
            stack.append(LabelRecord(None, item.label, item.source, item.key, batch_id, audit_id))
            rows.append(row | {"label": item.label, "source": item.source, "audit_id": audit_id})
        elif stack and stack[-1].key == item.undoes:
            rows.append(row | repeat_below(stack) | {"audit_id": None})
    return _insert(session, rows)


def _insert(session: Session, rows: Sequence[dict[str, Any]]) -> int:
    """Write labels; one whose key came by another request at this very moment is left out.

    What a label undoes may be a row before it, so each is found by its key when it is written.
    """
    if not rows:
        return 0
    undone = aliased(Label)
    undoes_id = select(undone.id).where(undone.key == bindparam("undone_key")).scalar_subquery()
    insert = insert_or(session, Label).values(undoes_id=undoes_id).on_conflict_do_nothing(index_elements=["key"])
    return session.connection().execute(insert, rows, execution_options={"preserve_rowcount": True}).rowcount


def _known_keys(session: Session, keys: Sequence[UUID]) -> set[UUID]:
    known: set[UUID] = set()
    for some in slices(keys):
        found = session.scalars(select(Label.key).where(Label.key.in_(some)))
        known |= {key for key in found if key is not None}
    return known


def human_label_of(image: type[Image]) -> ScalarSelect[str | None]:
    """SQL for the label of an image that counts: the newest, a person's before a folder's.

    A person's NULL withdraws all labels before it; undoing a person's label brings the folder's back.
    """
    given, newer = aliased(Label), aliased(Label)
    by_folder = given.source == LabelSource.FOLDER
    is_superseded = (
        select(newer.id)
        .where(newer.sha256 == given.sha256, newer.id > given.id, newer.source != LabelSource.FOLDER)
        .correlate(given)
        .exists()
    )
    return (
        select(given.label)
        .where(
            given.sha256 == image.sha256,
            given.label.is_not(None),
            (by_folder & stands(given)) | (~by_folder & ~is_superseded),
        )
        .order_by(case((by_folder, 1), else_=0), given.id.desc())
        .limit(1)
        .correlate(image)
        .scalar_subquery()
    )


def person_label_of(image: type[Image], until: int | None = None) -> ScalarSelect[str | None]:
    """SQL for the newest label of an image by a person, whatever its folder is; NULL without one.

    Args:
        until: The last label that counts; None for all labels.
    """
    given = aliased(Label)
    return (
        select(given.label)
        .where(given.sha256 == image.sha256, given.source != LabelSource.FOLDER)
        .where(*([] if until is None else [given.id <= until]))
        .order_by(given.id.desc())
        .limit(1)
        .correlate(image)
        .scalar_subquery()
    )


def was_labelled_since(image: type[Image], moment: datetime) -> ColumnElement[bool]:
    """SQL for whether a person has labelled an image since a moment, without an undo."""
    given, undo = aliased(Label), aliased(Label)
    by_people = (given.sha256 == image.sha256) & (given.source != LabelSource.FOLDER) & (given.created_at > moment)
    is_label = given.label.is_not(None) & given.undoes_id.is_(None)
    is_undone = select(undo.id).where(undo.undoes_id == given.id).exists()
    return select(given.id).where(by_people, is_label, ~is_undone).correlate(image).exists()
