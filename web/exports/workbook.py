"""Results as an Excel workbook, for people who open a table with a double click: the columns of the CSV, with types.

A workbook is a ZIP whose parts are complete only at its end, so it is written to disk first; memory holds one row.
"""

import re
import tempfile
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from core.base.errors import TooLarge
from core.jobs.results import ResultRow
from web.exports.origin import Origin
from web.exports.tables import COLUMNS, PROBABILITIES, row_values

if TYPE_CHECKING:
    import xlsxwriter.worksheet

MAX_FILES = 2**20 - 1  # a sheet of Excel has 2**20 rows, and one is the header
NOT_IN_XML = re.compile(r"[\ufffe\uffff]")  # xlsxwriter escapes control characters itself
WIDTHS = {"path": 48, "error": 48, "sha256": 24}
WIDTH = 12
BLOCK_BYTES = 2**18


def check_fits(n_files: int) -> None:
    """Check that a table of this length fits into a sheet.

    Raises:
        TooLarge: It does not.
    """
    if n_files > MAX_FILES:
        raise TooLarge(
            f"A sheet of Excel has room for {MAX_FILES:,} files, and this job has {n_files:,}. Download the table as"
            " CSV."
        )


def xlsx_blocks(rows: Iterable[ResultRow], origin: Origin) -> Iterator[bytes]:
    """The workbook in blocks, the first one when all of it is written.

    Args:
        origin: Where the results come from, for the properties of the document.
    """
    import xlsxwriter

    with tempfile.TemporaryFile() as file:
        with xlsxwriter.Workbook(file, {"constant_memory": True}) as workbook:
            for name, text in origin.as_texts().items():
                workbook.set_custom_property(name, text, "text")
            sheet = workbook.add_worksheet("Labels")
            bold = workbook.add_format({"bold": True})
            for column, name in enumerate(COLUMNS):
                sheet.set_column(column, column, WIDTHS.get(name, WIDTH))
                sheet.write_string(0, column, name, bold)
            sheet.freeze_panes(1, 1)
            n_rows = 0
            for n_rows, row in enumerate(rows, 1):
                _write(sheet, n_rows, row_values(row, origin.network))
            sheet.autofilter(0, 0, n_rows, len(COLUMNS) - 1)
        file.seek(0)
        while block := file.read(BLOCK_BYTES):
            yield block


def _write(sheet: "xlsxwriter.worksheet.Worksheet", number: int, values: dict[str, Any]) -> None:
    for column, name in enumerate(COLUMNS):
        value = values[name]
        if value is None:
            continue
        if name in PROBABILITIES or isinstance(value, int):
            sheet.write_number(number, column, value)
        else:
            sheet.write_string(number, column, _as_text(value))  # never as a formula or a link


def _as_text(value: str) -> str:
    return NOT_IN_XML.sub(lambda found: f"\\u{ord(found[0]):04x}", value)
