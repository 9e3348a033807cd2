"""Results as CSV and JSON Lines. web.exports.parquet and web.exports.workbook write the same columns."""

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

from flask import json

from core.base.network_catalog import CLASSES, NETWORKS
from core.jobs.results import ResultRow

# What a spreadsheet may run as a formula at the start of a cell; a quote before it makes it text.
FORMULA_SIGNS = ("=", "+", "-", "\u2212", "@")
# Some program breaks lines at these, or drops them. A cell with one is quoted.
CONTROL_CHARACTERS = "".join(map(chr, [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029]))
BYTE_ORDER_MARK = "\ufeff"
COLUMNS = (
    *("path", "label", "confidence", *(f"p_{name}" for name in CLASSES), "error_code", "error"),
    *("human_label", "final_label", "sha256", "p_neither", "warning", "image_id", "network"),
)
PROBABILITIES = frozenset({"confidence", "p_neither", *(f"p_{name}" for name in CLASSES)})
DECIMALS = 6


def csv_lines(rows: Iterable[ResultRow], network: str, has_bom: bool = False) -> Iterator[str]:
    """The lines of a CSV, header first.

    Args:
        network: The name of the network of the version; a result may name another one that answered.
        has_bom: Whether it begins with a byte order mark, by which Excel knows UTF-8.
    """
    yield (BYTE_ORDER_MARK if has_bom else "") + csv_line(COLUMNS)
    for row in rows:
        values = row_values(row, network)
        yield csv_line(_cell(name, values[name]) for name in COLUMNS)


def json_lines(rows: Iterable[ResultRow], network: str) -> Iterator[str]:
    """One object per line, with the columns of the CSV; paths exactly as uploaded."""
    for row in rows:
        yield json.dumps(row_values(row, network), ensure_ascii=False, sort_keys=False) + "\n"


def csv_line(cells: Iterable[str]) -> str:
    """One line; cells with commas, quotes, line breaks or other control characters are quoted."""
    line = io.StringIO()
    # Which characters of a cell are quoted differs between versions of Python, but for those of the terminator.
    csv.writer(line, lineterminator=CONTROL_CHARACTERS).writerow(cells)
    return line.getvalue().removesuffix(CONTROL_CHARACTERS) + "\n"


def guard_formula(cell: str) -> str:
    """A cell that every spreadsheet reads as text, never as a formula.

    Some do not look at blanks before a sign, or take its fullwidth form for it.
    """
    first = next((character for character in cell if not _is_blank(character)), "")
    is_formula = unicodedata.normalize("NFKC", first).startswith(FORMULA_SIGNS)
    return f"'{cell}" if is_formula or cell.startswith(("\t", "\r", "\n")) else cell


def _is_blank(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) in ("Cc", "Cf")


def row_values(row: ResultRow, network: str) -> dict[str, Any]:
    """The values of a row by column; `None` where there is none."""
    probabilities = row.probabilities
    by_class = dict.fromkeys(CLASSES) if probabilities is None else dict(zip(CLASSES, probabilities, strict=True))
    return {
        "path": row.path,
        "label": row.label,
        "confidence": row.confidence,
        **{f"p_{name}": value for name, value in by_class.items()},
        "error_code": row.error_code,
        "error": row.error,
        "human_label": row.human_label,
        "final_label": row.final_label,
        "sha256": row.sha256.hex(),
        "p_neither": _p_neither(row, network),
        "warning": row.warning,
        "image_id": row.image_id,
        "network": row.network or network,
    }


def _p_neither(row: ResultRow, network: str) -> float | None:
    """What the classes leave, where the network has an output for neither; elsewhere they leave nothing."""
    known = NETWORKS.get(network)
    return row.p_neither if known is not None and known.knows_neither else None


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.{DECIMALS}f}" if name in PROBABILITIES else guard_formula(str(value))
