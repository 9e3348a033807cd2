"""Leases: the right to work on a row until a moment by the database's clock, under a fence.

    free ─► claimed (fence + 1) ─► renewed with each heartbeat ─► released │ revoked (fence + 1) │ run out

One rule for all work: an error costs an attempt, and the next one waits longer. A server that is away costs none.

Everything that the holder of a lease writes is bound to its fence. Once another worker has claimed the row, or the
lease was revoked, that fence matches nothing. The conditions and values here are for single UPDATE statements; the
functions that take a row expect it to be locked.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column

from core.base.clock import db_now, has_come
from core.base.config import LONGEST_LEASE_S

MAX_ATTEMPTS = 20
RETRY_S = 3.0  # after an error, so that a store or a disk has time to come back
LONGEST_PAUSE_S = 30.0

LeaseColumn = InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None]


class LeaseColumns:
    """The columns of work that one worker at a time may do. `lease_until` is None while no worker holds it."""

    lease_until: Mapped[datetime | None]
    fence: Mapped[int] = mapped_column(default=0)


def is_current(lease_until: LeaseColumn) -> ColumnElement[bool]:
    """SQL for: a lease that has not run out."""
    return ~has_run_out(lease_until)


def has_run_out(lease_until: LeaseColumn) -> ColumnElement[bool]:
    """SQL for: a lease that its holder neither renewed nor released in time."""
    return has_come(lease_until, LONGEST_LEASE_S)


def is_free(lease_until: LeaseColumn) -> ColumnElement[bool]:
    """SQL for: no lease, or one that has run out."""
    return lease_until.is_(None) | has_run_out(lease_until)


def is_ready(ready_at: LeaseColumn) -> ColumnElement[bool]:
    """SQL for: the pause after an attempt is over."""
    return has_come(ready_at, LONGEST_PAUSE_S)


def pause_s(attempts: int) -> float:
    """How long work waits after this many attempts that failed: 3, 6, 12, 24, then always 30 seconds."""
    return min(RETRY_S * 2.0 ** (attempts - 1), LONGEST_PAUSE_S)


def claim_values(work: type[LeaseColumns], lease_s: float) -> dict[str, Any]:
    """The values of an UPDATE that claims work."""
    return {"fence": work.fence + 1, **renewal_values(lease_s)}


def renewal_values(lease_s: float) -> dict[str, Any]:
    """The values of an UPDATE that renews a lease."""
    return {"lease_until": db_now(lease_s)}


def release_values() -> dict[str, Any]:
    """The values of an UPDATE that releases or ends work under its fence."""
    return {"lease_until": None}


def revoke_values(work: type[LeaseColumns]) -> dict[str, Any]:
    """The values of an UPDATE that takes work from its holder."""
    return {"fence": work.fence + 1, **release_values()}


def claim(row: LeaseColumns, lease_s: float) -> int:
    """Claim a locked row; returns the fence."""
    row.fence += 1
    renew(row, lease_s)
    return row.fence


def renew(row: LeaseColumns, lease_s: float) -> None:
    """Renew the lease of a locked row."""
    row.lease_until = db_now(lease_s)


def release(row: LeaseColumns) -> None:
    """Release a locked row, or end its work."""
    row.lease_until = None


def revoke(row: LeaseColumns) -> None:
    """Take a locked row from its holder."""
    row.fence += 1
    release(row)
