"""`pawsort models`: list the model versions, and which one is in use."""

import click

from pawsort.api.answers import ModelVersion
from pawsort.connect import connect, server_options
from pawsort.terminal import TextTable, echo

NUMBERS = ("version", "threshold", "accuracy", "test pictures", "new labels")


@click.command("models")
@server_options
def command(server: str | None, token: str | None) -> None:
    """List the model versions, newest first."""
    with connect(server, token) as client:
        versions = list(client.list_models())
    if not versions:
        echo("There are no model versions yet. `pawsort migrate` registers the included ones.")
        return
    table = TextTable()
    for column in ("version", "network", "in use", "threshold", "accuracy", "test pictures", "made", "new labels"):
        table.add_column(column, justify="right" if column in NUMBERS else "left")
    for version in versions:
        table.add_row(*_row(version))
    table.print()
    used = next((version for version in versions if version["in_use"]), None)
    if used is not None:
        echo(_describe_new_labels(used))


def _describe_new_labels(version: ModelVersion) -> str:
    """Say how many labels are new since a version was trained, and how to train on them."""
    n, number = version["n_new_labels"], version["version"]
    if not n:
        return f"No new labels since version {number} was trained."
    labels = "1 new label" if n == 1 else f"{n:,} new labels"
    return f"{labels} since version {number} was trained. Train on all labels: pawsort train --all-labels --head-only"


def _row(version: ModelVersion) -> tuple[str, ...]:
    manifest = version["manifest"]
    test = manifest.get("metrics", {}).get("judging")  # the test split
    return (
        str(version["version"]),
        version["network"],
        "yes" if version["in_use"] else "",
        f"{manifest['threshold']:.3f}",
        f"{test['accuracy']:.4f}" if test else "",
        f"{test['n_images']:,}" if test else "",
        version["created_at"][:10],
        f"{version['n_new_labels']:,}",
    )
