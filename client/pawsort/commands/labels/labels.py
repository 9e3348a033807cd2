"""`pawsort labels`: give the labels of a table, and undo that."""

from pathlib import Path
from typing import Any

import click

from pawsort.connect import connect, server_options
from pawsort.console import Terminal, count_parts, first_lines
from pawsort.files.label_tables import KEYS, Key, LabelColumns, LabelImport, find_columns, import_labels
from pawsort.help import examples
from pawsort.operations.references import new_id
from pawsort.terminal import say, show


@click.group("labels", epilog=examples("pawsort labels import results.csv --dry-run"))
def command() -> None:
    """Labels of people: import them from a table, and undo that."""


@command.command(
    "import",
    epilog=examples("pawsort labels import results.csv --dry-run", "pawsort labels import results.parquet --json"),
)
@click.argument("table", metavar="TABLE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--column", "label", metavar="NAME", help="The column with the labels. [default: human_label, else label]"
)
@click.option(
    "--by", "key", type=click.Choice(KEYS), help="The column that names the picture. [default: sha256, else image_id]"
)
@click.option("--withdraw-empty", is_flag=True, help="Withdraw labels where the cell is empty; else it says nothing.")
@click.option("--dry-run", is_flag=True, help="Change nothing, and show what would change.")
@server_options
def import_table(
    table: Path,
    label: str | None,
    key: Key | None,
    withdraw_empty: bool,
    dry_run: bool,
    server: str | None,
    token: str | None,
) -> None:
    """Give the labels of a table: .csv, .jsonl or .parquet.

    An exported table comes home with this after its labels were changed. Only labels that differ from those on the
    server are written, as one batch. All rows are checked before anything is written.
    """
    console, batch = Terminal(), new_id()
    columns = find_columns(table, label, key, withdraw_empty)
    with connect(server, token) as client:
        done = import_labels(client.labels, table, columns, batch, is_dry=dry_run)
    _print(console, done, columns, dry_run)
    if done.n_labels and not dry_run:
        console.print(f"To undo this: pawsort labels undo {batch}")
    show(_result(done, batch))


@command.command("undo", epilog=examples("pawsort labels undo BATCH"))
@click.argument("batch", metavar="BATCH", type=click.UUID)
@server_options
def undo(batch: str, server: str | None, token: str | None) -> None:
    """Undo an import; its output has the id of the batch. Labels that are newer stay."""
    with connect(server, token) as client:
        undone = client.labels.undo_batch(str(batch))
    say(f"{undone.n_labels:,} labels undone.")
    show(undone)


def _result(done: LabelImport, batch: str) -> dict[str, Any]:
    changes = [{"before": old, "label": new, "n": n} for (old, new), n in done.changes.most_common()]
    counts = {"n_rows": done.n_rows, "n_labels": done.n_labels, "n_unchanged": done.n_unchanged}
    return {"batch": batch, **counts, "n_silent": done.n_silent, "changes": changes, "unknown": done.unknown}


def _print(console: Terminal, done: LabelImport, columns: LabelColumns, is_dry: bool) -> None:
    for line in first_lines([f"Not on this server: {sha256}" for sha256 in done.unknown]):
        console.warn(line)
    changes = ", ".join(f"{n:,} {old or 'none'} -> {new or 'none'}" for (old, new), n in done.changes.most_common())
    parts = [f"{done.n_labels:,} {'would be ' if is_dry else ''}changed{f' ({changes})' if changes else ''}"]
    parts.append(f"{done.n_unchanged:,} unchanged")
    parts += count_parts({"without a label in the table": done.n_silent, "not on this server": len(done.unknown)})
    console.print(f"{done.n_rows:,} rows, labels from {columns.label}: {', '.join(parts)}")
