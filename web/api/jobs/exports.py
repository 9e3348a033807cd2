"""Exports: every file of an upload that has a result, streamed; nothing is held that does not leave at once."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from itertools import islice
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response, current_app, stream_with_context
from sqlalchemy.orm import Session

from core.base.errors import Gone, Invalid
from core.base.states import JobKind
from core.jobs import jobs, navigation
from core.jobs.progress import describe
from core.jobs.result_filter import ResultFilter
from core.jobs.results import ResultRow
from core.orm.jobs import Job
from core.orm.uploads import Upload
from web.api.jobs.images import DECODES
from web.exports.archive import zip_blocks
from web.exports.names import attachment
from web.exports.originals import read_originals, read_pictures
from web.exports.report import MOST_ERRORS, MOST_PICTURES, report_blocks
from web.exports.rows import in_blocks, iterate_rows
from web.exports.tables import csv_lines, json_lines, parquet_blocks
from web.exports.whose import LABEL_BY, count_by
from web.http.context import get_services
from web.http.openapi import file_answer
from web.schemas.exports import ExportQuery, ReportQuery, ZipQuery
from web.schemas.results import ANY_ERROR

api = APIBlueprint("exports", __name__, url_prefix="/api/v1/jobs", tag="Results")

PARQUET = "application/vnd.apache.parquet"


@api.get("/<uuid:job_uuid>/export.csv")
@api.input(ExportQuery, location="query")
@api.doc(responses={200: file_answer("UTF-8, six decimals", "text/csv")})
def export_csv(job_uuid: UUID, query_data: ExportQuery) -> Response:
    """All results as CSV, one line for each file that has a result so far

    A cell that a spreadsheet would run as a formula gets a leading `'`.
    """
    job = _find(job_uuid)
    name = f"{job.name} failed.csv" if query_data.error_code else f"{job.name}.csv"
    return _stream(in_blocks(csv_lines(_rows(job, query_data))), name, "text/csv")


@api.get("/<uuid:job_uuid>/export.jsonl")
@api.input(ExportQuery, location="query")
@api.doc(responses={200: file_answer("One object a line", "application/jsonl")})
def export_jsonl(job_uuid: UUID, query_data: ExportQuery) -> Response:
    """All results as JSON Lines; paths exactly as they were"""
    job = _find(job_uuid)
    lines = json_lines(_rows(job, query_data))
    return _stream(in_blocks(lines), f"{job.name}.jsonl", "application/jsonl")


@api.get("/<uuid:job_uuid>/export.parquet")
@api.input(ExportQuery, location="query")
@api.doc(responses={200: file_answer("The columns of the CSV, typed", PARQUET)})
def export_parquet(job_uuid: UUID, query_data: ExportQuery) -> Response:
    """All results as Parquet"""
    job = _find(job_uuid)
    return _stream(parquet_blocks(_rows(job, query_data)), f"{job.name}.parquet", PARQUET)


@api.get("/<uuid:job_uuid>/export.zip")
@api.input(ZipQuery, location="query")
@api.doc(
    responses={200: file_answer("Folders by label, and errors.csv", "application/zip"), 410: "They were discarded"}
)
def export_zip(job_uuid: UUID, query_data: ZipQuery) -> Response:
    """The original files sorted into folders by label, and a list of those that have none

    Arranged anew and sent back, it is read as corrections.
    """
    services = get_services()
    with services.db.read() as session:
        job = _check(session, job_uuid)
        _check_originals(session, job)
    files = read_originals(services, iterate_rows(services, job))
    return _stream(zip_blocks(files, query_data.by, query_data.tree), f"{job.name}.zip", "application/zip")


@api.get("/<uuid:job_uuid>/report.html")
@api.input(ReportQuery, location="query")
@api.doc(responses={200: file_answer("One file, its pictures inside", "text/html")})
def export_report(job_uuid: UUID, query_data: ReportQuery) -> Response:
    """A report with thumbnails as one HTML file that works offline, the least sure pictures first

    By the person's label it shows the pictures that people labelled, and no others.
    """
    by = query_data.by
    services = get_services()
    with services.db.read() as session:
        job = _check(session, job_uuid)
        view, counts = describe(session, job), count_by(by, navigation.count_said(session, job))
    turn: AbstractContextManager[object] = current_app.extensions[DECODES]
    rows = iterate_rows(services, job, ResultFilter(sort="confidence"))
    doubtful = islice((row for row in rows if LABEL_BY[by](row) is not None), MOST_PICTURES)
    errors = islice(iterate_rows(services, job, ResultFilter(failed=True)), MOST_ERRORS)
    pictures, most_pixels = read_pictures(services, doubtful), services.settings.max_image_pixels
    blocks = report_blocks(view, by, counts, pictures, errors, turn, most_pixels)
    return _stream(blocks, f"{job.name}.html", "text/html")


def _rows(job: Job, query: ExportQuery) -> Iterator[ResultRow]:
    is_any = query.error_code == ANY_ERROR
    wanted = ResultFilter(error_code=None if is_any else query.error_code, failed=True if is_any else None)
    return iterate_rows(get_services(), job, wanted)


def _find(job_uuid: UUID) -> Job:
    with get_services().db.read() as session:
        return _check(session, job_uuid)


def _check_originals(session: Session, job: Job) -> None:
    upload = session.get(Upload, job.upload_id)
    if upload is not None and upload.discarded_at is not None:
        raise Gone(
            f"The originals of job {job.uuid} were discarded after they had been classified, as was asked for when they"
            f" were sent. Take the table, or sort your own files: pawsort sort {job.uuid} --from FOLDER --to FOLDER"
        )


def _check(session: Session, job_uuid: UUID) -> Job:
    job = jobs.get_job(session, job_uuid)
    if job.kind != JobKind.CLASSIFY:
        raise Invalid(
            f"Job {job_uuid} is of the kind {job.kind} and has no results to export. Name one that classifies."
        )
    return job


def _stream(blocks: Iterable[bytes], name: str, mimetype: str) -> Response:
    response = Response(stream_with_context(_only_full(blocks)), mimetype=mimetype)
    response.headers["Content-Disposition"] = attachment(name)
    return response


def _only_full(blocks: Iterable[bytes]) -> Iterator[bytes]:
    return (block for block in blocks if block)
