"""Labels from a table, such as an export whose labels were changed in pandas or a spreadsheet.

rows ─► items by content or image, without rows that say nothing ─► all checked ─► all written, as one batch
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pawsort.api.errors import ClientError
from pawsort.files.tables import Row, read_names, read_rows
from pawsort.operations.labels import Labels
from pawsort.schemas import LabelInput

Key = Literal["sha256", "image_id"]
KEYS: tuple[Key, ...] = ("sha256", "image_id")
LABELS = ("human_label", "label")
SAYS_NOTHING = frozenset({"", "unsure", "unlabelled"})
MAX_ROWS = 10_000_000  # each picture is remembered, to find those with two labels
_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")


@dataclass(frozen=True, slots=True)
class LabelColumns:
    """Which columns of a table are read.

    Attributes:
        label: The column with the labels.
        key: The column that names the picture.
        withdraws: Whether an empty cell withdraws the label that counts; else it says nothing.
    """

    label: str
    key: Key
    withdraws: bool = False


@dataclass(slots=True)
class LabelImport:
    """What an import changed, or would change. Counts are of contents, but for `n_rows` and `n_silent`, of rows."""

    n_rows: int = 0
    n_silent: int = 0
    n_labels: int = 0
    n_unchanged: int = 0
    changes: Counter[tuple[str | None, str | None]] = field(default_factory=Counter)
    unknown: list[str] = field(default_factory=list)


def find_columns(table: Path, label: str | None, key: Key | None, withdraws: bool = False) -> LabelColumns:
    """Choose the columns: those named, else those that exports have.

    Raises:
        ClientError: The table is empty, or has no such column.
    """
    names = read_names(table)
    if not names:
        raise ClientError(f"{table} has no rows.")
    return LabelColumns(_choose(table, names, label, LABELS), _choose(table, names, key, KEYS), withdraws)


def import_labels(
    labels: Labels, table: Path, columns: LabelColumns, batch: str, *, is_dry: bool = False
) -> LabelImport:
    """Give the labels of a table, as one batch. All rows are checked before the first label is written.

    Args:
        batch: The caller's id of the batch.
        is_dry: Only show what would change.
    Raises:
        ClientError: A row cannot be read, or a picture has two labels in the table.
    """
    found = _send(labels, table, columns, batch, is_dry=True)
    return found if is_dry or not found.n_labels else _send(labels, table, columns, batch, is_dry=False)


def _send(labels: Labels, table: Path, columns: LabelColumns, batch: str, *, is_dry: bool) -> LabelImport:
    done = LabelImport()
    answer = labels.add(_items(table, columns, done), batch=batch, dry_run=is_dry)
    done.n_labels, done.n_unchanged, done.unknown = answer.n_labels, answer.n_unchanged, answer.unknown
    done.changes.update({(one.before, one.label): one.n for one in answer.changes})
    return done


def _items(table: Path, columns: LabelColumns, done: LabelImport) -> Iterator[LabelInput]:
    """The labels of the table, each picture once."""
    given: dict[str | int, str | None] = {}
    for number, row in enumerate(read_rows(table, (columns.label, columns.key)), 1):
        if number > MAX_ROWS:
            raise ClientError(f"{table}: expected at most {MAX_ROWS:,} rows. Split the table. Nothing was written.")
        done.n_rows += 1
        label = _text(row.get(columns.label)).lower()
        if label in SAYS_NOTHING and not columns.withdraws:
            done.n_silent += 1
            continue
        key, said = _key_of(table, number, row, columns.key), None if label in SAYS_NOTHING else label
        if key not in given:
            given[key] = said
            item: Any = {columns.key: key, "label": said}
            yield item
        elif given[key] != said:
            raise ClientError(
                f"{table}, row {number}: {columns.key} {key} is {said or 'empty'} here and {given[key] or 'empty'}"
                " further up. Give each picture one label. Nothing was written."
            )


def _key_of(table: Path, number: int, row: Row, key: Key) -> str | int:
    text = _text(row.get(key))
    if key == "sha256" and _SHA256.fullmatch(text):
        return text.lower()
    if key == "image_id" and re.fullmatch(r"\d{1,18}(\.0)?", text):  # pandas makes 12 a 12.0 where a cell is empty
        return int(text.partition(".")[0])
    expected = "64 hexadecimal digits" if key == "sha256" else "a number"
    raise ClientError(f"{table}, row {number}: expected {expected} in {key}; got {text!r}. Nothing was written.")


def _text(cell: Any) -> str:
    """The text of a cell; empty for what stands for nothing, such as NaN."""
    return "" if cell is None or cell != cell else str(cell).strip()


def _choose(table: Path, names: list[str], named: Any, usual: tuple[Any, ...]) -> Any:
    wanted = usual if named is None else (named,)
    for name in wanted:
        if name in names:
            return name
    raise ClientError(
        f"{table}: expected a column {' or '.join(wanted)}; there are {', '.join(map(str, names))}. Name another one"
        " with --column or --by."
    )
