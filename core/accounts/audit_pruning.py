"""Deleting old entries of the audit log, which nothing else can do; each deletion is an entry itself."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from core.accounts.audit_log import Action, record
from core.base.clock import DAY_S, db_now
from core.base.database import Database, change
from core.orm.audit_log import AuditEntry

SLICE = 10_000
TRIGGER = "audit_log_no_delete"  # SQLite's; PostgreSQL refuses by the privileges of the role


def prune(db: Database, older_than_days: float) -> int:
    """Delete entries that are older; slice by slice, each in a transaction with the entry about it.

    Returns:
        How many entries were deleted.
    """
    n_deleted = 0
    while True:
        with db.write() as session:
            n = _prune_slice(session, older_than_days)
        n_deleted += n
        if n < SLICE:
            return n_deleted


def _prune_slice(session: Session, older_than_days: float) -> int:
    is_old = AuditEntry.at < db_now(-older_than_days * DAY_S)
    oldest = list(session.scalars(select(AuditEntry.id).where(is_old).order_by(AuditEntry.at).limit(SLICE)))
    if not oldest:
        return 0
    with deleting(session):
        n = change(session, delete(AuditEntry).where(AuditEntry.id.in_(oldest)))
    record(session, None, Action.AUDIT_LOG_PRUNE, n_entries=n, older_than_days=f"{older_than_days:g}")
    return n


@contextmanager
def deleting(session: Session) -> Iterator[None]:
    """Let the statements within delete entries. SQLite's trigger is away for this transaction and no other."""
    if session.get_bind().dialect.name != "sqlite":
        yield
        return
    definition = session.scalars(text("SELECT sql FROM sqlite_schema WHERE name = :name"), {"name": TRIGGER}).one()
    session.execute(text(f"DROP TRIGGER {TRIGGER}"))
    yield
    session.execute(text(definition))
