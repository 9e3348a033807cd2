"""`pawsort models`: the versions there are, and which one is in use."""

import sys
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from client.connecting import connect, server_options


@click.command("models")
@server_options
def command(server: str | None, token: str | None) -> None:
    """List the model versions, newest first."""
    with connect(server, token, Console(stderr=True, highlight=False).print) as client:
        versions = list(client.list_models())
    if not versions:
        click.echo("There are no model versions yet. `pawsort migrate` registers those that ship with the program.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("version", "network", "in use", "threshold", "accuracy", "made"):
        table.add_column(column, justify="right" if column in ("version", "threshold", "accuracy") else "left")
    for version in versions:
        table.add_row(*_row(version))
    Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 200).print(table)


def _row(version: dict[str, Any]) -> tuple[str, ...]:
    manifest = version["manifest"]
    judging = manifest.get("metrics", {}).get("judging")
    return (
        str(version["version"]),
        version["network"],
        "yes" if version["in_use"] else "",
        f"{manifest['threshold']:.3f}",
        f"{judging['accuracy']:.4f}" if judging else "",
        version["created_at"][:10],
    )
