"""Splits: training, validation and test, which never share a content.

A content gets its split once, when it is first needed for training, and keeps it: the rule may change one day, the row
does not. Equal bytes are one content, whatever their names are.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.base.database import insert_or, slices
from core.orm.training import ContentSplit

RULE = "first 8 bytes of the content's SHA-256, big-endian, modulo 10: 0-7 training, 8 validation, 9 judging"


class Split(StrEnum):
    TRAINING = "training"
    VALIDATION = "validation"
    TEST = "judging"

    @property
    def shown_name(self) -> str:
        """As people know it; the stored name of the test split is older."""
        return "test" if self is Split.TEST else self.value


_BY_DIGIT = (Split.TRAINING,) * 8 + (Split.VALIDATION, Split.TEST)


def split_of(sha256: bytes) -> Split:
    """The split that `RULE` gives to a content."""
    return _BY_DIGIT[int.from_bytes(sha256[:8], "big") % len(_BY_DIGIT)]


def find_splits(session: Session, contents: Collection[bytes]) -> dict[bytes, Split]:
    """The split of each content: the one it has, or the one it would get."""
    return {sha256: split_of(sha256) for sha256 in contents} | find_assigned(session, contents)


def find_assigned(session: Session, contents: Collection[bytes]) -> dict[bytes, Split]:
    """The splits of those contents that have one."""
    parts: dict[bytes, Split] = {}
    for some in slices(contents):
        rows = session.execute(select(ContentSplit.sha256, ContentSplit.part).where(ContentSplit.sha256.in_(some)))
        parts |= {row.sha256: Split(row.part) for row in rows}
    return parts


def assign_splits(session: Session, contents: Collection[bytes]) -> dict[bytes, Split]:
    """Assign a split, for good, to each content that has none; returns the splits of all of them."""
    assign(session, {sha256: split_of(sha256) for sha256 in contents})
    return find_splits(session, contents)


def assign(session: Session, parts: Mapping[bytes, Split]) -> None:
    """Assign these splits, for good; a content that has one keeps it."""
    once = insert_or(session, ContentSplit).on_conflict_do_nothing(index_elements=["sha256"])
    # Sorted, so that two who give to the same contents at once wait for each other instead of locking each other out.
    for some in slices(sorted(parts)):
        session.execute(once, [{"sha256": sha256, "part": parts[sha256]} for sha256 in some])
