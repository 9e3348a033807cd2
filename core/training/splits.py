"""Parts: what a content is for. Training, validation and judging never share one.

A content gets its part once, when it is first wanted for training, and keeps it: the rule may change one day, the row
does not. Equal bytes are one content, whatever they are called.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.base.database import insert_or, slices
from core.orm.training import ContentPart

RULE = "first 8 bytes of the content's SHA-256, big-endian, modulo 10: 0-7 training, 8 validation, 9 judging"


class Part(StrEnum):
    TRAINING = "training"
    VALIDATION = "validation"
    JUDGING = "judging"


_BY_DIGIT = (Part.TRAINING,) * 8 + (Part.VALIDATION, Part.JUDGING)


def part_of(sha256: bytes) -> Part:
    """The part that the rule gives to a content: `RULE`."""
    return _BY_DIGIT[int.from_bytes(sha256[:8], "big") % len(_BY_DIGIT)]


def find_parts(session: Session, contents: Collection[bytes]) -> dict[bytes, Part]:
    """The part of each content: the one it has, or the one it would get."""
    return {sha256: part_of(sha256) for sha256 in contents} | find_given(session, contents)


def find_given(session: Session, contents: Collection[bytes]) -> dict[bytes, Part]:
    """The parts of those contents that have one."""
    parts: dict[bytes, Part] = {}
    for some in slices(contents):
        rows = session.execute(select(ContentPart.sha256, ContentPart.part).where(ContentPart.sha256.in_(some)))
        parts |= {row.sha256: Part(row.part) for row in rows}
    return parts


def assign_parts(session: Session, contents: Collection[bytes]) -> dict[bytes, Part]:
    """Give a part, for good, to each content that has none yet; the parts of all of them."""
    give(session, {sha256: part_of(sha256) for sha256 in contents})
    return find_parts(session, contents)


def give(session: Session, parts: Mapping[bytes, Part]) -> None:
    """Give these parts, for good; a content that has one keeps it."""
    once = insert_or(session, ContentPart).on_conflict_do_nothing(index_elements=["sha256"])
    # Sorted, so that two who give to the same contents at once wait for each other instead of locking each other out.
    for some in slices(sorted(parts)):
        session.execute(once, [{"sha256": sha256, "part": parts[sha256]} for sha256 in some])
