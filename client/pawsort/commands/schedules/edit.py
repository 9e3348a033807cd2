"""`pawsort schedules edit`: change the name, the time or the parameters of a schedule."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import click

from pawsort.commands.arguments import number_argument
from pawsort.commands.schedules.add import when
from pawsort.connect import connect, server_options
from pawsort.help import examples
from pawsort.terminal import say, show


@click.command("edit", epilog=examples("pawsort schedules edit 1 --cron '0 4 * * SUN' --set min_gain=0.01"))
@number_argument
@click.option("--name", metavar="NAME", help="New name.")
@click.option("--cron", metavar="LINE", help="New time: five fields, such as '0 3 * * SUN'.")
@click.option("--every-labels", type=int, metavar="N", help="Instead of a time: after this many new labels.")
@click.option("--zone", metavar="ZONE", help="Such as Europe/Berlin.")
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter by its name in the API, such as min_gain=0.01. An empty value restores the default. May be"
    " repeated.",
)
@server_options
def command(
    number: int,
    name: str | None,
    cron: str | None,
    every_labels: int | None,
    zone: str | None,
    assignments: tuple[str, ...],
    server: str | None,
    token: str | None,
) -> None:
    """Change a schedule. Everything else stays as it is."""
    if cron is not None and every_labels is not None:
        raise click.UsageError("Give either --cron or --every-labels, not both.")
    changes: dict[str, Any] = {"name": name, "time_zone": zone}
    changes = {key: value for key, value in changes.items() if value is not None}
    if cron is not None or every_labels is not None:
        changes |= {"cron": cron, "every_n_labels": every_labels}
    if assignments:
        changes["parameters"] = dict(_parameters(assignments))
    if not changes:
        raise click.UsageError("Nothing to change. `pawsort schedules edit --help` lists what can be changed.")
    with connect(server, token) as client:
        schedule = client.schedules.update(number, **changes)
    say(f"Schedule {number} ({schedule.name}): {when(schedule)}")
    show(schedule)


def _parameters(assignments: Sequence[str]) -> Iterator[tuple[str, Any]]:
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise click.UsageError(f"--set: expected NAME=VALUE, such as min_gain=0.01; got {assignment!r}.")
        yield name, _value(value)


def _value(text: str) -> Any:
    """Read JSON (`0.01`, `true`, `[…]`), or take the text as it is (`promote`)."""
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text
