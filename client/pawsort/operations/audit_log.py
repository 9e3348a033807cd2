"""The audit log, for admins."""

from datetime import datetime
from pathlib import Path

from pawsort.api.calls import NOTHING, Call, Flow, Stream, ask, pages
from pawsort.api.operation import AsyncGroup, Group, Listing, Operation
from pawsort.api.whole_file import whole_file
from pawsort.schemas import AuditAction, AuditEntry


class AuditLogOperations:
    """Who did what, and when."""

    @Listing
    def list(
        self,
        *,
        user: str | None = None,
        action: AuditAction | None = None,
        since: datetime | None = None,
        before: datetime | None = None,
    ) -> Stream[AuditEntry]:
        """Iterate over the entries, newest first."""
        return pages(AuditEntry, "/audit-log", {"user": user, "action": action, "since": since, "before": before})

    @Operation
    def export(
        self,
        file: Path | str,
        *,
        user: str | None = None,
        action: AuditAction | None = None,
        since: datetime | None = None,
        before: datetime | None = None,
    ) -> Flow[Path]:
        """Write the entries to a file that ends in .csv or .jsonl."""
        target = Path(file)
        query = {"user": user, "action": action, "since": since, "before": before}
        with whole_file(target) as out:
            yield from ask(Call(NOTHING, "GET", f"/audit-log{target.suffix}", query, target=out))
        return target


class AuditLog(AuditLogOperations, Group):
    """Who did what, and when."""


class AsyncAuditLog(AuditLogOperations, AsyncGroup):
    """Who did what, and when."""
