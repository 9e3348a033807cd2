"""`pawsort audit-log`: who did what, for admins."""

import itertools
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from pawsort.api.errors import ClientError
from pawsort.connect import connect, server_options
from pawsort.help import examples
from pawsort.schemas import AuditEntry
from pawsort.terminal import TextTable, say, show

ENDINGS = (".csv", ".jsonl")


@click.command(
    "audit-log",
    epilog=examples(
        "pawsort audit-log --limit 50",
        "pawsort audit-log --user ada --action token.create --json",
        "pawsort audit-log --since 2026-11-01 -o november.csv",
    ),
)
@click.option("--user", metavar="NAME", help="Only what this person did.")
@click.option("--action", metavar="A", help="Only this action, such as login or job.delete.")
@click.option("--since", type=click.DateTime(), metavar="TIME", help="Only at this time or later, such as 2026-11-01.")
@click.option("--before", type=click.DateTime(), metavar="TIME", help="Only before this time.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), metavar="N", help="How many to list.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write all that match to this file instead: .csv or .jsonl.",
)
@server_options
def command(
    user: str | None,
    action: str | None,
    since: datetime | None,
    before: datetime | None,
    limit: int,
    output: Path | None,
    server: str | None,
    token: str | None,
) -> None:
    """List who did what, when, from where and with what outcome, newest first. For admins.

    Times are those of this machine.
    """
    if output is not None and output.suffix not in ENDINGS:
        raise ClientError(f"-o {output}: expected a name that ends in .csv or .jsonl.")
    filters: dict[str, Any] = {"user": user, "action": action, "since": _local(since), "before": _local(before)}
    with connect(server, token) as client:
        if output is not None:
            client.audit_log.export(output, **filters)
            show({"file": str(output)})
            return
        entries = list(itertools.islice(client.audit_log.list(**filters), limit))
    if not entries:
        say("There are no such entries.")
    table = TextTable("time", "user", "action", "object", "outcome", "from", "details")
    for entry in entries:
        table.add_row(*_row(entry))
    show(entries, table if entries else ())


def _local(time: datetime | None) -> datetime | None:
    """A time of this machine, with its offset."""
    return time and time.astimezone()


def _row(entry: AuditEntry) -> tuple[str, ...]:
    return (
        entry.at.astimezone().strftime("%Y-%m-%d %H:%M:%S"),
        entry.user or "",
        entry.action,
        f"{entry.object_kind} {entry.object_id}".strip(),
        entry.outcome,
        entry.address,
        _details(entry.details),
    )


def _details(details: dict[str, Any]) -> str:
    return ", ".join(f"{name}: {one if isinstance(one, str) else json.dumps(one)}" for name, one in details.items())
