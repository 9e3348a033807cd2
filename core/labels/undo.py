"""Undoing labels: a content has a stack of labels, without those that were undone.

Nothing is ever removed. Undoing the newest label appends one that names it and repeats the label below, so that "the
newest counts" stays true for readers that only know the newest.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, aliased

from core.base.database import slices
from core.base.states import LabelSource
from core.orm.labels import Label


@dataclass(frozen=True, slots=True)
class LabelRecord:
    """A label of a person, with what undoing needs; without `id` before it is written."""

    id: int | None
    label: str | None
    source: str
    key: UUID | None
    batch_id: int | None
    audit_id: int | None


def is_undone(given: type[Label]) -> ColumnElement[bool]:
    """SQL for whether a later label takes this one back."""
    undo = aliased(Label)
    return select(undo.id).where(undo.undoes_id == given.id).correlate(given).exists()


def stands(given: type[Label]) -> ColumnElement[bool]:
    """SQL for whether somebody gave this label, and it is neither undone nor withdrawn by a person's NULL after it.

    What undoes a label repeats the one below, and gives none of its own.
    """
    later = aliased(Label)
    by_a_person = (later.sha256 == given.sha256) & (later.id > given.id) & (later.source != LabelSource.FOLDER)
    withdraws = later.label.is_(None) & later.undoes_id.is_(None) & ~is_undone(later)
    is_given = given.undoes_id.is_(None) & ~is_undone(given)
    return is_given & ~select(later.id).where(by_a_person, withdraws).correlate(given).exists()


def find_valid_labels(session: Session, contents: Collection[bytes]) -> dict[bytes, list[LabelRecord]]:
    """The labels of each content by people that were not undone, oldest first; the last one counts."""
    wanted = sorted(set(contents))
    stacks: dict[bytes, list[LabelRecord]] = {sha256: [] for sha256 in wanted}
    columns = (Label.sha256, Label.undoes_id, Label.id, Label.label, Label.source, Label.key)
    for some in slices(wanted):
        given = select(*columns, Label.batch_id, Label.audit_id).where(
            Label.sha256.in_(some), Label.source != LabelSource.FOLDER
        )
        for row in session.execute(given.order_by(Label.id)):
            if row.undoes_id is None:
                one = LabelRecord(row.id, row.label, row.source, row.key, row.batch_id, row.audit_id)
                stacks[row.sha256].append(one)
            else:
                stacks[row.sha256] = [one for one in stacks[row.sha256] if one.id != row.undoes_id]
    return stacks


def find_newest_labels(session: Session, wanted: Mapping[bytes, int]) -> dict[bytes, list[LabelRecord]]:
    """The same, but only the newest of them, however long a history is.

    Args:
        wanted: How many of each content.
    """
    rank = func.row_number().over(partition_by=Label.sha256, order_by=Label.id.desc())
    counts = (Label.source != LabelSource.FOLDER) & Label.undoes_id.is_(None) & ~is_undone(Label)
    columns = (Label.sha256, Label.id, Label.label, Label.source, Label.key, Label.batch_id, Label.audit_id)
    stacks: dict[bytes, list[LabelRecord]] = {sha256: [] for sha256 in wanted}
    for some in slices(sorted(wanted)):
        ranked = select(*columns, rank.label("rank")).where(Label.sha256.in_(some), counts).subquery()
        for sha256, *values, rank_ in session.execute(select(ranked).order_by(ranked.c.id)):
            if rank_ <= wanted[sha256]:
                stacks[sha256].append(LabelRecord(*values))
    return stacks


def undo_newest(stack: list[LabelRecord]) -> dict[str, Any]:
    """Remove the topmost label of a stack; returns the columns of the one to append for that."""
    return {"undoes_id": stack[-1].id} | repeat_below(stack)


def repeat_below(stack: list[LabelRecord]) -> dict[str, Any]:
    """The same, without the column that names the label.

    With nothing below, there is no label by a person, and the folder's label counts again.
    """
    undone = stack.pop()
    below = stack[-1] if stack else None
    return {"label": below.label if below else None, "source": below.source if below else undone.source}
