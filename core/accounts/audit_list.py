"""Reading the audit log: pages by keyset, newest first, with filters that indexes serve."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Select, select, tuple_
from sqlalchemy.orm import Session

from core.base.database import Database
from core.base.errors import OutdatedCursor
from core.base.paging import Page, decode_cursor, encode_cursor
from core.orm.audit_log import AuditEntry

SLICE = 1000


@dataclass(frozen=True)
class AuditFilter:
    """What a list shows; empty fields restrict nothing."""

    user: str = ""
    action: str = ""
    since: datetime | None = None
    before: datetime | None = None

    def apply(self, query: Select[AuditEntry]) -> Select[AuditEntry]:
        """The query with this filter."""
        if self.user:
            query = query.where(AuditEntry.user_name == self.user)
        if self.action:
            query = query.where(AuditEntry.action == self.action)
        if self.since is not None:
            query = query.where(AuditEntry.at >= self.since)
        if self.before is not None:
            query = query.where(AuditEntry.at < self.before)
        return query


def list_entries(session: Session, wanted: AuditFilter, cursor: str | None, limit: int) -> Page[AuditEntry]:
    """One page of the entries that match, newest first.

    Raises:
        OutdatedCursor: The cursor belongs to another list.
    """
    query = wanted.apply(select(AuditEntry))
    if cursor:
        query = query.where(tuple_(AuditEntry.at, AuditEntry.id) < _position(cursor))
    newest_first = query.order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
    rows = list(session.scalars(newest_first.limit(limit + 1)))
    return Page(rows[:limit], _cursor_after(rows[limit - 1]) if len(rows) > limit else None)


def iterate_entries(db: Database, wanted: AuditFilter) -> Iterator[AuditEntry]:
    """All entries that match, newest first, in slices that each have their own session."""
    cursor: str | None = None
    while True:
        with db.read() as session:
            page = list_entries(session, wanted, cursor, SLICE)
        yield from page.items
        cursor = page.next
        if cursor is None:
            return


def _cursor_after(entry: AuditEntry) -> str:
    return encode_cursor(entry.at.astimezone(UTC).isoformat(), entry.id)


def _position(cursor: str) -> tuple[datetime, int]:
    moment, number = decode_cursor(cursor, str, int)
    try:
        return datetime.fromisoformat(moment).astimezone(UTC), number
    except (ValueError, OverflowError) as error:
        raise OutdatedCursor("This cursor is out of date. Open the first page.") from error
