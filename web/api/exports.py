"""Exports: every file of an upload that has a result, one line each, streamed in the order of the upload.

Read in slices, each with a session of its own: a slow reader holds neither memory nor a transaction.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response, json

from core import jobs, results
from core.networks import CLASSES
from core.orm import Job
from core.results import ResultFilter, ResultRow
from web.api.docs import file_answer
from web.services import Services, get_services

api = APIBlueprint("exports", __name__, url_prefix="/api/v1/jobs", tag="Results")

SLICE = 1000
# Whatever a spreadsheet may run as a formula; the quote in front makes it text.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
# What no file system takes, and what turns the direction of writing, so that "gpj.exe" reads "exe.jpg".
UNSAFE = frozenset('/\\:*?"<>|\x7f\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069')
COLUMNS = (
    "path",
    "label",
    "confidence",
    *(f"p_{name}" for name in CLASSES),
    "error_code",
    "error",
    "human_label",
    "final_label",
    "sha256",
)


@api.get("/<uuid:job_uuid>/export.csv")
@api.doc(responses={200: file_answer("UTF-8, six decimals", "text/csv")})
def export_csv(job_uuid: UUID) -> Response:
    """All results as CSV, one line for each file that has a result so far

    A cell that a spreadsheet would run as a formula gets a leading `'`.
    """
    return _export(job_uuid, "csv", "text/csv", csv_lines)


@api.get("/<uuid:job_uuid>/export.jsonl")
@api.doc(responses={200: file_answer("One object a line", "application/jsonl")})
def export_jsonl(job_uuid: UUID) -> Response:
    """All results as JSON Lines; paths exactly as they were"""
    return _export(job_uuid, "jsonl", "application/jsonl", json_lines)


def csv_lines(rows: Iterable[ResultRow]) -> Iterator[str]:
    """The lines of a CSV, the header first."""
    yield _csv_line(COLUMNS)
    for row in rows:
        probabilities = _probabilities(row)
        cells = (
            row.path,
            row.label,
            _decimals(row.confidence),
            *(_decimals(value) for value in probabilities),
            row.error_code,
            row.error,
            row.human_label,
            row.final_label,
            row.sha256.hex(),
        )
        yield _csv_line([guard_formula(cell or "") for cell in cells])


def json_lines(rows: Iterable[ResultRow]) -> Iterator[str]:
    """One object a line, with the columns of the CSV."""
    for row in rows:
        probabilities = _probabilities(row)
        values = {
            "path": row.path,
            "label": row.label,
            "confidence": row.confidence,
            **{f"p_{name}": value for name, value in zip(CLASSES, probabilities, strict=True)},
            "error_code": row.error_code,
            "error": row.error,
            "human_label": row.human_label,
            "final_label": row.final_label,
            "sha256": row.sha256.hex(),
        }
        yield json.dumps(values, ensure_ascii=False, sort_keys=False) + "\n"


def guard_formula(cell: str) -> str:
    """A cell as text, even for a spreadsheet that would run it as a formula."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell


def _csv_line(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


def _probabilities(row: ResultRow) -> list[float | None]:
    return list(row.probabilities) if row.probabilities else [None] * len(CLASSES)


def _decimals(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"


def _export(
    job_uuid: UUID, suffix: str, mimetype: str, lines: Callable[[Iterable[ResultRow]], Iterator[str]]
) -> Response:
    services = get_services()
    with services.db.read() as session:
        job = jobs.get_job(session, job_uuid)
    response = Response(_joined(lines(_rows(services, job))), mimetype=mimetype)
    response.headers["Content-Disposition"] = attachment(f"{job.name}.{suffix}")
    return response


def _rows(services: Services, job: Job) -> Iterator[ResultRow]:
    cursor: str | None = None
    while True:
        with services.db.read() as session:
            page = results.list_results(session, job, ResultFilter(), cursor, SLICE)
        yield from page.items
        cursor = page.next
        if cursor is None:
            return


def _joined(lines: Iterator[str]) -> Iterator[bytes]:
    """Lines in pieces that are worth a network packet each."""
    waiting: list[str] = []
    for line in lines:
        waiting.append(line)
        if len(waiting) == SLICE:
            yield "".join(waiting).encode("utf-8", "backslashreplace")
            waiting.clear()
    yield "".join(waiting).encode("utf-8", "backslashreplace")


def attachment(name: str) -> str:
    """A Content-Disposition that saves under this name, whatever characters it has (RFC 6266)."""
    safe = "".join("_" if ord(character) < 32 or character in UNSAFE else character for character in name)
    plain = safe.encode("ascii", "replace").decode().replace("?", "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(safe, safe='')}"
