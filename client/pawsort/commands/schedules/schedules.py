"""`pawsort schedules`: list, run and change schedules, and list their runs."""

import itertools

import click

from pawsort.commands import moments
from pawsort.commands.arguments import number_argument
from pawsort.commands.schedules import add, edit
from pawsort.connect import connect, server_options
from pawsort.help import examples
from pawsort.schemas import Schedule, ScheduleRun
from pawsort.terminal import TextTable, say, show


@click.group(
    "schedules",
    invoke_without_command=True,
    epilog=examples("pawsort schedules", "pawsort schedules runs 1", "pawsort schedules edit 1 --zone Europe/Berlin"),
)
@server_options
@click.pass_context
def command(context: click.Context, server: str | None, token: str | None) -> None:
    """Schedules: retrain, classify new files of a folder, clean up.

    Without a subcommand, list them.
    """
    if context.invoked_subcommand is None:
        context.invoke(list_schedules, server=server, token=token)


@command.command("list", epilog=examples("pawsort schedules list --json"))
@server_options
def list_schedules(server: str | None, token: str | None) -> None:
    """List the schedules, newest first."""
    with connect(server, token) as client:
        schedules = list(client.schedules.list())
    if not schedules:
        say("There are no schedules yet. `pawsort schedules add --help` explains how to add one.")
    table = TextTable("number", "name", "does", "when", "next", "last run")
    for one in schedules:
        cells = (one.name, one.kind, one.in_words, _next(one), _outcome(one.last_run))
        table.add_row(str(one.id), *cells)
    show(schedules, table if schedules else ())


@command.command("pause", epilog=examples("pawsort schedules pause 1"))
@number_argument
@server_options
def pause(number: int, server: str | None, token: str | None) -> None:
    """Pause a schedule. Runs that come due meanwhile are skipped."""
    with connect(server, token) as client:
        schedule = client.schedules.update(number, is_on=False)
    say(f"Schedule {number} ({schedule.name}) is paused. `pawsort schedules resume {number}` resumes it.")
    show(schedule)


@command.command("resume", epilog=examples("pawsort schedules resume 1"))
@number_argument
@server_options
def resume(number: int, server: str | None, token: str | None) -> None:
    """Resume a paused schedule."""
    with connect(server, token) as client:
        schedule = client.schedules.update(number, is_on=True)
    say(f"Schedule {number} ({schedule.name}) is resumed. {add.when(schedule)}")
    show(schedule)


@command.command("run", epilog=examples("pawsort schedules run 1"))
@number_argument
@server_options
def run(number: int, server: str | None, token: str | None) -> None:
    """Run a schedule now. The next run stays due as before."""
    with connect(server, token) as client:
        started = client.schedules.run(number)
    say(f"Run {started.id} has started. `pawsort schedules runs {number}` shows its outcome.")
    show(started)


@command.command("delete", epilog=examples("pawsort schedules delete 1"))
@number_argument
@server_options
def delete(number: int, server: str | None, token: str | None) -> None:
    """Delete a schedule. Its runs stay readable."""
    with connect(server, token) as client:
        client.schedules.delete(number)
    say(f"Schedule {number} is deleted.")


@command.command("runs", epilog=examples("pawsort schedules runs 1 --limit 5"))
@number_argument
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), metavar="N", help="How many to list.")
@server_options
def runs(number: int, limit: int, server: str | None, token: str | None) -> None:
    """List the runs of a schedule and their outcomes, newest first."""
    with connect(server, token) as client:
        listed = list(itertools.islice(client.schedules.runs(number), limit))
    if not listed:
        say(f"Schedule {number} has not run yet. `pawsort schedules run {number}` runs it now.")
    table = TextTable("run", "due", "", "state", "outcome")
    for one in listed:
        table.add_row(str(one.id), moments.shorten(one.due_at), _reason(one), one.state, one.outcome)
    show(listed, table if listed else ())


command.add_command(add.command)
command.add_command(edit.command)


def _next(schedule: Schedule) -> str:
    if not schedule.is_on:
        return "paused"
    return moments.shorten(schedule.next_times[0]) if schedule.next_times else ""


def _outcome(run: ScheduleRun | None) -> str:
    if run is None:
        return ""
    return run.outcome or f"{run.state} since {moments.shorten(run.started_at)}"


def _reason(run: ScheduleRun) -> str:
    if run.user:
        return f"by {run.user}"
    if run.n_due > 1:
        return f"late, for {run.n_due} times"
    return "late" if run.is_late else ""
