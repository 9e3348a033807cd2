"""The audit log: pages of it, and all of it as a file."""

from collections.abc import Callable, Iterable, Iterator

from apiflask import APIBlueprint
from flask import Response, stream_with_context

from core.accounts import audit_list
from core.accounts.audit_log import Action, record
from core.accounts.rights import Right
from core.orm.audit_log import AuditEntry
from web.exports import audit_log
from web.exports.names import attachment
from web.exports.rows import begin, in_blocks
from web.http.context import get_services
from web.http.limits.at_once import Work, works
from web.http.openapi.files import download_answer
from web.http.rights import current_actor, needs
from web.schemas.audit_log import AuditEntryOut, AuditLogPage, AuditLogPageQuery, AuditLogQuery

TAG = {
    "name": "Audit log",
    "description": "Who did what, when and from where, for admins",
}
api = APIBlueprint("audit_log", __name__, url_prefix="/api/v1", tag=TAG)

CSV, JSON_LINES = "text/csv", "application/jsonl"
FULL = "The disk of the database is full: each export is recorded"


@api.get("/audit-log")
@needs(Right.SYSTEM)
@api.input(AuditLogPageQuery, location="query")
@api.output(AuditLogPage)
def list_audit_log(query_data: AuditLogPageQuery) -> AuditLogPage:
    """Who did what, when and from where, newest first"""
    with get_services().db.read() as session:
        page = audit_list.list_entries(session, query_data.filter, query_data.cursor, query_data.limit)
    return AuditLogPage(items=[AuditEntryOut.from_entry(entry) for entry in page.items], next=page.next)


@api.get("/audit-log.csv")
@needs(Right.SYSTEM)
@api.input(AuditLogQuery, location="query")
@api.doc(responses={200: download_answer("The entries as a table", CSV), 507: FULL})
@works(Work.DOWNLOAD)
def export_audit_log_csv(query_data: AuditLogQuery) -> Response:
    """The entries that match, as CSV"""
    return _export(query_data, audit_log.csv_lines, CSV, "csv")


@api.get("/audit-log.jsonl")
@needs(Right.SYSTEM)
@api.input(AuditLogQuery, location="query")
@api.doc(responses={200: download_answer("One entry per line", JSON_LINES), 507: FULL})
@works(Work.DOWNLOAD)
def export_audit_log_jsonl(query_data: AuditLogQuery) -> Response:
    """The entries that match, as JSON Lines"""
    return _export(query_data, audit_log.json_lines, JSON_LINES, "jsonl")


def _export(
    query: AuditLogQuery, write: Callable[[Iterable[AuditEntry]], Iterator[str]], media_type: str, ending: str
) -> Response:
    db = get_services().db
    with db.write() as session:
        record(session, current_actor(), Action.EXPORT, "audit-log", format=ending)
    blocks = begin(in_blocks(write(audit_list.iterate_entries(db, query.filter))))
    response = Response(stream_with_context(blocks), mimetype=media_type)
    response.headers["Content-Disposition"] = attachment(f"pawsort-audit-log.{ending}")
    return response
