"""Lists by keyset: a page, and an opaque cursor that names the last row seen."""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.base.errors import OutdatedCursor

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some rows and the cursor of what follows, or None at the end."""

    items: list[T]
    next: str | None


def page_newest_first(
    session: Session, query: Select[T], by: InstrumentedAttribute[int], cursor: str | None, limit: int
) -> Page[T]:
    """One page of the rows of a query, the highest number first.

    Args:
        by: The number, which no two rows share.
        cursor: Of the page before; None or empty for the first one.
        limit: How many rows at most.
    Raises:
        OutdatedCursor: The cursor belongs to another list.
    """
    if cursor:
        query = query.where(by < decode_cursor(cursor, int)[0])
    rows = list(session.scalars(query.order_by(by.desc()).limit(limit + 1)))
    return Page(rows[:limit], encode_cursor(getattr(rows[limit - 1], by.key)) if len(rows) > limit else None)


def encode_cursor(*key: Any) -> str:
    """The key of the last row of a page, as text that goes into an address."""
    return (
        base64.urlsafe_b64encode(json.dumps(key, ensure_ascii=False, separators=(",", ":")).encode())
        .decode()
        .rstrip("=")
    )


def decode_cursor(cursor: str, *types: type) -> tuple[Any, ...]:
    """The key again.

    Raises:
        OutdatedCursor: The text is no cursor of this list.
    """
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise _foreign() from error
    if not isinstance(key, list) or [type(part) for part in key] != list(types) or not all(map(_fits, key)):
        raise _foreign()
    return tuple(key)


def _fits(part: Any) -> bool:
    """Whether a database takes it as a parameter; it would come back as an error of the server."""
    if isinstance(part, str):
        return "\0" not in part and part.encode("utf-8", "ignore").decode() == part
    return not isinstance(part, int) or abs(part) < 2**63


def _foreign() -> OutdatedCursor:
    return OutdatedCursor(
        "This cursor is out of date or of another list. Use `next` of the page before, or leave it out."
    )
