"""`pawsort schedules edit`: change what a schedule is called, when it comes due, or what it is told."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import click
from rich.console import Console

from pawsort.commands.schedules_add import when
from pawsort.connect import connect, server_options


@click.command("edit")
@click.argument("number", metavar="NUMBER", type=click.IntRange(1, 2**31 - 1))
@click.option("--name", metavar="NAME", help="Another name.")
@click.option("--cron", metavar="LINE", help="Another time: five fields, such as '0 3 * * SUN'.")
@click.option("--every-labels", type=int, metavar="N", help="Instead of a time: when so many new labels have come in.")
@click.option("--zone", metavar="ZONE", help="Such as Europe/Berlin.")
@click.option(
    "--set",
    "told",
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter as the API calls it, such as min_gain=0.01; nothing after the = puts the usual value back. May be"
    " repeated.",
)
@server_options
def edit(
    number: int,
    name: str | None,
    cron: str | None,
    every_labels: int | None,
    zone: str | None,
    told: tuple[str, ...],
    server: str | None,
    token: str | None,
) -> None:
    """Change a schedule. What is not named stays as it is."""
    if cron is not None and every_labels is not None:
        raise click.UsageError("--cron and --every-labels exclude each other. Give one of them.")
    changes: dict[str, Any] = {"name": name, "time_zone": zone}
    changes = {key: value for key, value in changes.items() if value is not None}
    if cron is not None or every_labels is not None:
        changes |= {"cron": cron, "every_n_labels": every_labels}
    if told:
        changes["parameters"] = dict(_parameters(told))
    if not changes:
        raise click.UsageError("Nothing to change was named. `pawsort schedules edit --help` says what can be.")
    with connect(server, token, Console(stderr=True, highlight=False).print) as client:
        schedule = client.update_schedule(number, **changes)
    click.echo(f"Schedule {number} ({schedule['name']}): {when(schedule)}")


def _parameters(told: Sequence[str]) -> Iterator[tuple[str, Any]]:
    for one in told:
        name, equals, value = one.partition("=")
        if not equals:
            raise click.UsageError(f"--set: expected NAME=VALUE, such as min_gain=0.01; got {one!r}.")
        yield name, _value(value)


def _value(text: str) -> Any:
    """JSON where it is some, else the text itself: `0.01`, `true`, `[…]`, `promote`."""
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text
