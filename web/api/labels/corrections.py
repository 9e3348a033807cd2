"""Rearranged folders as corrections: an archive, or a list of paths and hashes. No file is stored."""

from uuid import UUID, uuid4

from apiflask import APIBlueprint
from flask import request

from core.accounts.rights import Right
from core.jobs import jobs
from core.orm.review import LabelBatch
from core.review import correction_batches
from core.review.corrected_folders import CorrectionPlan
from web.http.context import get_services
from web.http.limits.at_once import Work, works
from web.http.openapi.files import file_body
from web.http.rights import current_actor, needs
from web.receiving.bodies import BodyReader
from web.receiving.corrections import hash_files, read_list
from web.schemas.labels import ChangeOut, CorrectionsOut, CorrectionsQuery

api = APIBlueprint("corrections", __name__, url_prefix="/api/v1/jobs", tag="Labels")

LIST_TYPES = ("application/jsonl", "application/x-ndjson")


@api.post("/<uuid:job_uuid>/corrections")
@needs(Right.LABEL)
@api.input(CorrectionsQuery, location="query")
@api.output(CorrectionsOut)
@api.doc(
    responses={
        409: "Another batch has this id",
        413: "Too large; the message states the limit",
        422: "Neither an archive nor such a list, or incomplete",
    },
    extensions=file_body("application/x-tar", "application/gzip", "application/zip", "application/jsonl"),
)
@works(Work.ARCHIVE)
def import_corrections(job_uuid: UUID, query_data: CorrectionsQuery) -> CorrectionsOut:
    """Read a rearranged ZIP or folder as corrections

    Files are recognised by content. The nearest folder named after a class or `neither` is the label; `unsure` is no
    label. With the `pawsort-manifest.jsonl` of a sorted ZIP or folder, only moved pictures are labelled, and labels
    that people gave since then stay; without it, all whose folder is not the label shown now. Only hashes and folder
    names are used. Instead of an archive, send JSON Lines of `{"path": …, "sha256": …}` (64 hexadecimal digits) and the
    lines of the manifest.
    """
    services = get_services()
    limit = services.settings.max_upload_bytes
    body = BodyReader(limit, f"Expected an archive of at most {limit} bytes. Send it in parts.")
    with services.db.read() as session:
        jobs.get_job(session, job_uuid)  # before gigabytes are read
    files = read_list(body.read) if request.mimetype in LIST_TYPES else hash_files(body.read, services.settings)
    if query_data.dry_run:
        return _show(correction_batches.check_corrections(services.db, job_uuid, files), None)
    uuid = query_data.id or uuid4()
    return _show(*correction_batches.import_corrections(services.db, current_actor(), job_uuid, uuid, files))


def _show(plan: CorrectionPlan, batch: LabelBatch | None) -> CorrectionsOut:
    names = ("exported_at", "n_replaced", "n_newer", "n_confirmed", "n_unmoved", "n_silent", "n_unknown", "n_ambiguous")
    return CorrectionsOut(
        batch=batch.uuid if batch else None,
        n_corrected=batch.n_labels if batch else len(plan.labels),
        changes=[ChangeOut.model_validate(one, from_attributes=True) for one in plan.changes],
        unknown=plan.unknown,
        ambiguous=plan.ambiguous,
        **{name: getattr(plan, name) for name in names},
    )
