"""`pawsort schedules`: list, run and change schedules, and list their runs."""

import itertools
from collections.abc import Sequence

import click

from pawsort.api.answers import Schedule, ScheduleRun
from pawsort.commands import schedules_add, schedules_edit
from pawsort.connect import connect, server_options
from pawsort.terminal import TextTable, echo

NUMBER = click.IntRange(1, 2**31 - 1)
number_argument = click.argument("number", metavar="NUMBER", type=NUMBER)


@click.group("schedules", invoke_without_command=True)
@server_options
@click.pass_context
def command(context: click.Context, server: str | None, token: str | None) -> None:
    """Schedules: retrain, classify new files of a folder, clean up.

    Without a subcommand, list them.
    """
    if context.invoked_subcommand is None:
        context.invoke(list_schedules, server=server, token=token)


@command.command("list")
@server_options
def list_schedules(server: str | None, token: str | None) -> None:
    """List the schedules, newest first."""
    with connect(server, token) as client:
        schedules = list(client.list_schedules())
    if not schedules:
        echo("There are no schedules yet. `pawsort schedules add --help` explains how to add one.")
        return
    rows = [
        (str(one["id"]), one["name"], one["kind"], one["in_words"], _next(one), _outcome(one["last_run"]))
        for one in schedules
    ]
    _print_table(("number", "name", "does", "when", "next", "last run"), rows)


@command.command("pause")
@number_argument
@server_options
def pause(number: int, server: str | None, token: str | None) -> None:
    """Pause a schedule. Runs that come due meanwhile are skipped."""
    with connect(server, token) as client:
        name = client.update_schedule(number, is_on=False)["name"]
    echo(f"Schedule {number} ({name}) is paused. `pawsort schedules resume {number}` resumes it.")


@command.command("resume")
@number_argument
@server_options
def resume(number: int, server: str | None, token: str | None) -> None:
    """Resume a paused schedule."""
    with connect(server, token) as client:
        schedule = client.update_schedule(number, is_on=True)
    echo(f"Schedule {number} ({schedule['name']}) is resumed. {schedules_add.when(schedule)}")


@command.command("run")
@number_argument
@server_options
def run(number: int, server: str | None, token: str | None) -> None:
    """Run a schedule now. The next run stays due as before."""
    with connect(server, token) as client:
        started = client.run_schedule(number)
    echo(f"Run {started['id']} has started. `pawsort schedules runs {number}` shows its outcome.")


@command.command("delete")
@number_argument
@server_options
def delete(number: int, server: str | None, token: str | None) -> None:
    """Delete a schedule. Its runs stay readable."""
    with connect(server, token) as client:
        client.delete_schedule(number)
    echo(f"Schedule {number} is deleted.")


@command.command("runs")
@number_argument
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), metavar="N", help="How many to list.")
@server_options
def runs(number: int, limit: int, server: str | None, token: str | None) -> None:
    """List the runs of a schedule and their outcomes, newest first."""
    with connect(server, token) as client:
        listed = list(itertools.islice(client.list_runs(number), limit))
    if not listed:
        echo(f"Schedule {number} has not run yet. `pawsort schedules run {number}` runs it now.")
        return
    rows = [(str(one["id"]), _moment(one["due_at"]), _reason(one), one["state"], one["outcome"]) for one in listed]
    _print_table(("run", "due", "", "state", "outcome"), rows)


command.add_command(schedules_add.add)
command.add_command(schedules_edit.edit)


def _print_table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    table = TextTable()
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*row)
    table.print(240)


def _next(schedule: Schedule) -> str:
    if not schedule["is_on"]:
        return "paused"
    return _moment(schedule["next_times"][0]) if schedule["next_times"] else ""


def _outcome(run: ScheduleRun | None) -> str:
    if run is None:
        return ""
    return run["outcome"] or f"{run['state']} since {_moment(run['started_at'])}"


def _reason(run: ScheduleRun) -> str:
    if run["who"]:
        return f"by {run['who']}"
    if run["n_due"] > 1:
        return f"late, for {run['n_due']} times"
    return "late" if run["is_late"] else ""


def _moment(text: str) -> str:
    """2026-11-29T03:00:00+01:00 -> "2026-11-29 03:00 +01:00"."""
    offset = text[19:].lstrip(".0123456789")
    return f"{text[:10]} {text[11:16]} {'UTC' if offset in ('Z', '+00:00') else offset}"
