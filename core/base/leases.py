"""Leases: the right to work on a row until a moment by the database's clock, under a fence.

    free ─► claimed (fence + 1) ─► renewed with each heartbeat ─► released │ revoked (fence + 1) │ run out

Everything that the holder of a lease writes is bound to its fence. Once another worker has claimed the row, or the
lease was revoked, that fence matches nothing. The conditions and values here are for single UPDATE statements; the
functions that take a row expect it to be locked.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column

from core.base.clock import db_now

LeaseColumn = InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None]


class LeaseColumns:
    """The columns of work that one worker at a time may do. `lease_until` is None while no worker holds it."""

    lease_until: Mapped[datetime | None]
    fence: Mapped[int] = mapped_column(default=0)


def is_current(lease_until: LeaseColumn) -> ColumnElement[bool]:
    """SQL for: a lease that has not run out."""
    return lease_until > db_now()


def has_run_out(lease_until: LeaseColumn) -> ColumnElement[bool]:
    """SQL for: a lease that its holder neither renewed nor released in time."""
    return lease_until <= db_now()


def is_free(lease_until: LeaseColumn) -> ColumnElement[bool]:
    """SQL for: no lease, or one that has run out."""
    return lease_until.is_(None) | has_run_out(lease_until)


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
