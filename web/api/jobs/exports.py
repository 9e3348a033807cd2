"""Exports of a job in every format of `web.exports.formats`, streamed: no more is held in memory than is being sent."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response, stream_with_context
from flask.blueprints import BlueprintSetupState
from sqlalchemy.orm import Session

from core.accounts.audit_log import Action, record
from core.accounts.rights import Right
from core.base.errors import Invalid, OriginalsGone
from core.base.states import JobKind
from core.jobs import jobs
from core.jobs.export_snapshot import take_snapshot
from core.jobs.result_filter import ALL_RESULTS, ResultFilter
from core.orm.jobs import Job
from core.orm.uploads import Upload
from web.exports import formats
from web.exports.formats import ExportFormat
from web.exports.names import attachment
from web.exports.origin import describe_origin
from web.exports.rows import begin
from web.http.context import get_services
from web.http.limits.at_once import Work, works
from web.http.openapi.files import download_answer
from web.http.rights import current_actor, needs
from web.schemas.results import CsvQuery, ExportQuery, ReportQuery, ZipQuery

api = APIBlueprint("exports", __name__, url_prefix="/api/v1/jobs", tag="Results")

ORIGIN = "Pawsort-Origin"  # header of tables that have no room for it: where their rows come from, as JSON
PARTIAL = "Pawsort-Partial"  # header of an export of a job that has not ended well: files may lack a result
QUERIES: dict[tuple[str, ...], type[ExportQuery]] = {
    ("filter",): ExportQuery,
    ("filter", "bom"): CsvQuery,
    ("filter", "by"): ReportQuery,
    ("filter", "by", "tree"): ZipQuery,
}


@api.record
def _add_routes(state: BlueprintSetupState) -> None:
    """Add a route for each format when an app registers this blueprint."""
    for export_format in formats.EXPORTS:
        path, endpoint = f"/<uuid:job_uuid>/{export_format.path}", f"export_{export_format.name}"
        state.add_url_rule(path, endpoint, _make_view(export_format), methods=["GET"])


def _make_view(export_format: ExportFormat) -> Callable[..., Response]:
    @needs(Right.SEE)
    def export(job_uuid: UUID, query_data: ExportQuery) -> Response:
        services = get_services()
        with services.db.read() as session:
            job = _get_job(session, job_uuid)
            if export_format.needs_originals:
                _check_originals(session, job)
            snapshot = take_snapshot(session, job)
        options = query_data.to_options()
        blocks = begin(export_format.write(services, snapshot, options))
        with services.db.write() as session:
            record(session, current_actor(), Action.EXPORT, "job", job.uuid, format=export_format.name, name=job.name)
        response = Response(stream_with_context(blocks), mimetype=export_format.media_type)
        name = f"{job.name}{_suffix(options.results)}{'-partial' if snapshot.is_partial else ''}"
        response.headers["Content-Disposition"] = attachment(f"{name}.{export_format.ending}")
        if snapshot.is_partial:
            response.headers[PARTIAL] = "true"
        if export_format.has_bare_rows:
            with services.db.read() as session:
                response.headers[ORIGIN] = describe_origin(session, snapshot).as_header()
        return response

    headers = {PARTIAL: "`true` if files lack a result"}
    if export_format.has_bare_rows:
        headers[ORIGIN] = "JSON: `job`, `version`, `version_digest`, `networks`, `threshold`, `decoding` and others"
    answer = download_answer(export_format.content, export_format.media_type, **headers)
    responses = {200: answer, 507: "The disk of the database is full: each export is recorded"}
    if export_format.has_limit:
        responses[413] = "More files than the format can hold"
    if export_format.needs_originals:
        responses[410] = "The job was deleted, or its originals were discarded"
    describe = api.doc(
        summary=export_format.summary, description=export_format.description or None, responses=responses
    )
    view: Callable[..., Response] = works(Work.DOWNLOAD)(
        describe(api.input(QUERIES[export_format.options], location="query")(export))
    )
    return view


def _suffix(wanted: ResultFilter) -> str:
    """What the name of a file says about its filter."""
    if wanted.failed or wanted.error_code:
        return " failed"
    return "" if replace(wanted, sort="order") == ALL_RESULTS else " filtered"


def _get_job(session: Session, job_uuid: UUID) -> Job:
    job = jobs.get_job(session, job_uuid)
    if job.kind != JobKind.CLASSIFY:
        raise Invalid(
            f"Job {job_uuid} is of the kind {job.kind} and has no results to export. Name one that classifies."
        )
    return job


def _check_originals(session: Session, job: Job) -> None:
    upload = session.get(Upload, job.upload_id)
    if upload is not None and upload.discarded_at is not None:
        raise OriginalsGone(
            f"The originals of job {job.uuid} were discarded after they had been classified, as requested with the"
            f" upload. Download the table, or sort your own files: pawsort sort {job.uuid} --from FOLDER --to FOLDER"
        )
