"""`pawsort models`: list the model versions and which one is in use, and find a threshold that keeps a promise."""

import click

from pawsort.completion import VERSION
from pawsort.connect import connect, server_options
from pawsort.help import examples
from pawsort.schemas import Model
from pawsort.terminal import TextTable, say, show

COLUMNS = ("version", "network", "in use", "threshold", "accuracy", "test pictures", "made", "new labels")
NUMBERS = ("version", "threshold", "accuracy", "test pictures", "new labels")


@click.group(
    "models",
    invoke_without_command=True,
    epilog=examples(
        "pawsort models",
        "pawsort models --json | jq '.[] | select(.in_use)'",
        "pawsort models threshold 3 --max-error 0.01",
    ),
)
@server_options
@click.pass_context
def command(context: click.Context, server: str | None, token: str | None) -> None:
    """Model versions.

    Without a subcommand, list them.
    """
    if context.invoked_subcommand is None:
        context.invoke(list_models, server=server, token=token)


@command.command("list", epilog=examples("pawsort models list --json"))
@server_options
def list_models(server: str | None, token: str | None) -> None:
    """List the model versions, newest first."""
    with connect(server, token) as client:
        versions = list(client.models.list())
    if not versions:
        say("There are no model versions yet. `pawsort migrate` registers the included ones.")
    table = TextTable(*COLUMNS, right=NUMBERS)
    for version in versions:
        table.add_row(*_row(version))
    show(versions, table if versions else ())
    used = next((version for version in versions if version.in_use), None)
    if used is not None:
        say(_describe_new_labels(used))


@command.command("threshold", epilog=examples("pawsort models threshold 3 --max-error 0.01"))
@click.argument("version", metavar="VERSION", type=VERSION)
@click.option(
    "--max-error",
    required=True,
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    metavar="E",
    help="The largest share of wrong labels, such as 0.01 for one in a hundred.",
)
@server_options
def find_threshold(version: int, max_error: float, server: str | None, token: str | None) -> None:
    """Print the lowest threshold at which at most this share of the labels is wrong.

    It is found on the version's validation pictures, and holds for pictures like those. The exit code is 1 if no
    threshold keeps it.
    """
    with connect(server, token) as client:
        found = client.models.threshold(version, max_error=max_error)
    show(found, f"{found.threshold:g}")
    say(
        f"{100 * found.coverage:.1f} % of {found.n_images:,} validation pictures get a label there;"
        f" {found.n_wrong:,} of {found.n_labelled:,} are wrong, so {100 * found.error_low:.2f} to"
        f" {100 * found.error_high:.2f} % (95 % interval)."
    )


def _describe_new_labels(version: Model) -> str:
    """Say how many labels are new since a version was trained, and how to train on them."""
    n, number = version.n_new_labels, version.version
    if not n:
        return f"No new labels since version {number} was trained."
    labels = "1 new label" if n == 1 else f"{n:,} new labels"
    return f"{labels} since version {number} was trained. Train on all labels: pawsort train --all-labels --head-only"


def _row(version: Model) -> tuple[str, ...]:
    manifest = version.manifest
    test = manifest.get("metrics", {}).get("judging")  # the test split
    return (
        str(version.version),
        version.network,
        "yes" if version.in_use else "",
        f"{manifest['threshold']:.3f}",
        f"{test['accuracy']:.4f}" if test else "",
        f"{test['n_images']:,}" if test else "",
        f"{version.created_at:%Y-%m-%d}",
        f"{version.n_new_labels:,}",
    )
