"""`pawsort schedules add`: one subcommand for each kind of schedule."""

from collections.abc import Callable
from typing import Any

import click

from pawsort.connect import connect, server_options
from pawsort.help import examples
from pawsort.schemas import Schedule
from pawsort.terminal import say, show

Function = Callable[..., Any]


@click.group("add", epilog=examples("pawsort schedules add backup nightly --cron '0 3 * * *'"))
def command() -> None:
    """Add a schedule.

    A cron line has five fields: minute, hour, day of the month, month, day of the week. `0 3 * * SUN` is Sundays at
    03:00, in the time zone that --zone names.
    """


def _when_options(function: Function) -> Function:
    options = (
        click.option("--cron", required=True, metavar="LINE", help="When: five fields, such as '0 3 * * SUN'."),
        click.option("--zone", default="UTC", show_default=True, metavar="ZONE", help="Such as Europe/Berlin."),
    )
    for option in reversed(options):
        function = option(function)
    return server_options(function)


@command.command(
    "retrain",
    epilog=examples(
        "pawsort schedules add retrain weekly --cron '0 3 * * SUN' --zone Europe/Berlin --promote",
        "pawsort schedules add retrain often --every-labels 500 --head-only",
    ),
)
@click.argument("name")
@click.option("--cron", metavar="LINE", help="When: five fields, such as '0 3 * * SUN'.")
@click.option("--every-labels", type=int, metavar="N", help="Instead of --cron: after this many new labels.")
@click.option("--zone", default="UTC", show_default=True, metavar="ZONE", help="Such as Europe/Berlin.")
@click.option("--network", metavar="N", help="Network to train.")
@click.option("--anew", is_flag=True, help="Train from scratch, not from the version in use.")
@click.option("--upload", "uploads", multiple=True, metavar="ID", help="Only labels of this upload; may be repeated.")
@click.option("--since", metavar="DAY", help="Only labels given since this day, such as 2026-03-01.")
@click.option("--min-new-labels", type=int, metavar="N", help="Skip the run with fewer new labels.")
@click.option("--head-only", is_flag=True, help="Fit only a new head, in seconds, instead of training for epochs.")
@click.option("--epochs", type=int, metavar="E", help="Maximum number of epochs.")
@click.option(
    "--promote", is_flag=True, help="Put the new version into use if it is better; else keep it as a candidate."
)
@click.option(
    "--min-gain", type=float, metavar="X", help="Required gain in accuracy on test pictures. [default: 0.005]"
)
@click.option("--max-p", type=float, metavar="P", help="Maximum p-value of McNemar's test. [default: 0.05]")
@click.option("--max-class-loss", type=float, metavar="Y", help="Maximum loss of accuracy in a class. [default: 0.02]")
@server_options
def retrain(
    name: str,
    cron: str | None,
    every_labels: int | None,
    zone: str,
    anew: bool,
    promote: bool,
    since: str | None,
    epochs: int | None,
    head_only: bool,
    uploads: tuple[str, ...],
    server: str | None,
    token: str | None,
    **more: Any,
) -> None:
    """Retrain on people's labels. Keep the new version, or put it into use if it is better."""
    training = ({} if epochs is None else {"epochs": epochs}) | ({"what": "head"} if head_only else {})
    parameters = {
        **more,
        "start_from": "anew" if anew else None,
        "outcome": "promote" if promote else None,
        "labels_since": since,
        "uploads": list(uploads) or None,
        "training": training or None,
    }
    _create("retrain", name, zone, parameters, server, token, cron=cron, every_n_labels=every_labels)


@command.command("classify", epilog=examples("pawsort schedules add classify inbox /srv/inbox --cron '*/10 * * * *'"))
@click.argument("name")
@click.argument("source")
@click.option("--model", metavar="M", help="A version's number or a network's name. [default: the one in use]")
@click.option("--threshold", type=float, metavar="T", help="Below this confidence a picture is shown as unsure.")
@click.option("--labelled", is_flag=True, help="Folder names (cats/, dogs/) are labels.")
@_when_options
def classify(name: str, source: str, cron: str, zone: str, server: str | None, token: str | None, **more: Any) -> None:
    """Classify new files in SOURCE: a folder on the server, or s3://bucket/prefix, below PAWSORT_IMPORT_ROOTS."""
    _create("classify", name, zone, {"source": source, **more}, server, token, cron=cron)


@command.command(
    "clean-up", epilog=examples("pawsort schedules add clean-up tidy --cron '0 3 * * SUN' --older-than-days 30")
)
@click.argument("name")
@click.option("--older-than-days", type=float, metavar="N", help="Delete jobs that ended more than N days ago.")
@click.option("--below-bytes", type=int, metavar="B", help="Delete the oldest jobs until pictures use fewer bytes.")
@click.option("--labelled-too", is_flag=True, help="Also delete jobs with pictures that people labelled.")
@_when_options
def clean_up(
    name: str, cron: str, zone: str, labelled_too: bool, server: str | None, token: str | None, **more: Any
) -> None:
    """Delete old jobs with their pictures. Running jobs, and those a schedule trains on, are kept."""
    _create("clean_up", name, zone, {"keep_labelled": not labelled_too, **more}, server, token, cron=cron)


@command.command("backup", epilog=examples("pawsort schedules add backup nightly --cron '0 3 * * *' --daily 7"))
@click.argument("name")
@click.option("--daily", "keep_daily", type=int, metavar="N", help="Keep backups of the last N days. [default: 7]")
@click.option("--weekly", "keep_weekly", type=int, metavar="N", help="Keep backups of the last N weeks. [default: 4]")
@_when_options
def back_up(name: str, cron: str, zone: str, server: str | None, token: str | None, **more: Any) -> None:
    """Back up into the folder that PAWSORT_BACKUP_DIR names on the server, and delete older backups."""
    _create("back_up", name, zone, more, server, token, cron=cron)


def when(schedule: Schedule) -> str:
    """Say when a schedule comes due, and its next times."""
    times = ", ".join(f"{moment:%Y-%m-%d %H:%M}" for moment in schedule.next_times)
    return f"{schedule.in_words} ({schedule.time_zone}). Next: {times}." if times else f"{schedule.in_words}."


def _create(
    kind: str,
    name: str,
    zone: str,
    parameters: dict[str, Any],
    server: str | None,
    token: str | None,
    **moment: Any,
) -> None:
    given = {key: value for key, value in parameters.items() if value is not None}
    body: Any = {"name": name, "kind": kind, "time_zone": zone, "parameters": given, **moment}
    with connect(server, token) as client:
        schedule = client.schedules.create(**body)
    say(f"Schedule {schedule.id} ({schedule.name}): {when(schedule)}")
    show(schedule)
