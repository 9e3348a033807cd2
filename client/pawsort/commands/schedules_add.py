"""`pawsort schedules add`: one subcommand for each thing that a schedule can do."""

from collections.abc import Callable
from typing import Any

import click
from rich.console import Console

from pawsort.connect import connect, server_options

Command = Callable[..., Any]


@click.group("add")
def add() -> None:
    """Add a schedule.

    A cron line has five fields: minute, hour, day of the month, month, day of the week. `0 3 * * SUN` is Sundays at
    03:00, in the time zone that --zone names.
    """


def _when_options(command: Command) -> Command:
    options = (
        click.option("--cron", required=True, metavar="LINE", help="When: five fields, such as '0 3 * * SUN'."),
        click.option("--zone", default="UTC", show_default=True, metavar="ZONE", help="Such as Europe/Berlin."),
    )
    for option in reversed(options):
        command = option(command)
    return server_options(command)


@add.command("retrain")
@click.argument("name")
@click.option("--cron", metavar="LINE", help="When: five fields, such as '0 3 * * SUN'.")
@click.option("--every-labels", type=int, metavar="N", help="Instead of --cron: when so many new labels have come in.")
@click.option("--zone", default="UTC", show_default=True, metavar="ZONE", help="Such as Europe/Berlin.")
@click.option("--network", metavar="N", help="Which one to train.")
@click.option("--anew", is_flag=True, help="Start anew, and not from the version in use.")
@click.option("--upload", "uploads", multiple=True, metavar="ID", help="Only labels of this upload; may be repeated.")
@click.option("--since", metavar="DAY", help="Only labels given since this day, such as 2026-03-01.")
@click.option("--min-new-labels", type=int, metavar="N", help="Skip the run with fewer new labels.")
@click.option("--head-only", is_flag=True, help="Fit a new head alone, in seconds, instead of going through epochs.")
@click.option("--epochs", type=int, metavar="E", help="How often to go through the pictures, at most.")
@click.option("--promote", is_flag=True, help="Put the new version into use if it passes the gate; else keep it.")
@click.option("--min-gain", type=float, metavar="X", help="Better by this share of the judging part: 0.005.")
@click.option("--max-p", type=float, metavar="P", help="McNemar's test must say less: 0.05.")
@click.option("--max-class-loss", type=float, metavar="Y", help="No class worse by more than this share: 0.02.")
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
    """Retrain on what people labelled, and keep the new version or put it into use if it is better."""
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


@add.command("classify")
@click.argument("name")
@click.argument("source")
@click.option("--model", metavar="M", help="A version's number or a network's name; the one in use if left out.")
@click.option("--threshold", type=float, metavar="T", help="Below this confidence a picture is shown as unsure.")
@click.option("--labelled", is_flag=True, help="Folder names (cats/, dogs/) are labels.")
@_when_options
def classify(name: str, source: str, cron: str, zone: str, server: str | None, token: str | None, **more: Any) -> None:
    """Classify what is new in SOURCE, a folder of the server's or s3://bucket/prefix, below PAWSORT_IMPORT_ROOTS."""
    _create("classify", name, zone, {"source": source, **more}, server, token, cron=cron)


@add.command("clean-up")
@click.argument("name")
@click.option("--older-than-days", type=float, metavar="N", help="Delete jobs that ended longer ago.")
@click.option("--below-bytes", type=int, metavar="B", help="Delete the oldest jobs until pictures have fewer bytes.")
@click.option("--labelled-too", is_flag=True, help="Also jobs over pictures that somebody labelled.")
@_when_options
def clean_up(
    name: str, cron: str, zone: str, labelled_too: bool, server: str | None, token: str | None, **more: Any
) -> None:
    """Delete old jobs with their pictures; never those that run, or that a schedule trains on."""
    _create("clean_up", name, zone, {"keep_labelled": not labelled_too, **more}, server, token, cron=cron)


def when(schedule: dict[str, Any]) -> str:
    """When a schedule comes due, and its next times, in words."""
    times = ", ".join(f"{moment[:10]} {moment[11:16]}" for moment in schedule["next_times"])
    return f"{schedule['in_words']} ({schedule['time_zone']}). Next: {times}." if times else f"{schedule['in_words']}."


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
    body = {"name": name, "kind": kind, "time_zone": zone, "parameters": given, **moment}
    with connect(server, token, Console(stderr=True, highlight=False).print) as client:
        schedule = client.create_schedule(body)
    click.echo(f"Schedule {schedule['id']} ({schedule['name']}): {when(schedule)}")
