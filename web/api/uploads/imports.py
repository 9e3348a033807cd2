"""Imports: the server itself reads a folder or bucket prefix that its operator allows, and classifies it."""

from uuid import uuid4

from apiflask import APIBlueprint
from flask import url_for
from werkzeug.datastructures import Headers

from core.accounts.rights import Right
from core.jobs.progress import describe
from core.schedules import imports
from core.schedules.imports import NewImport
from web.http.context import get_services
from web.http.rights import current_actor, needs
from web.schemas.jobs import JobOut
from web.schemas.uploads import ImportIn

api = APIBlueprint("imports", __name__, url_prefix="/api/v1/imports", tag="Uploads")


@api.post("")
@needs(Right.SCHEDULES)
@api.input(ImportIn)
@api.output(JobOut, status_code=202, description="The job; maintenance workers take the files in")
@api.doc(responses={409: "The id belongs to something else", 422: "One sentence per invalid value"})
def create_import(json_data: ImportIn) -> tuple[JobOut, int, Headers]:
    """Classify a folder of the server, or a bucket prefix, once

    The operator allows folders and prefixes with `PAWSORT_IMPORT_ROOTS`. Files are copied in slices, each exactly once
    and after an interruption too; links are not followed. Cancelling the job ends the import. Repeating the call with
    the same id is harmless.
    """
    services = get_services()
    uuid = json_data.id or uuid4()
    new = NewImport(
        json_data.source,
        None if json_data.model is None else str(json_data.model),
        json_data.threshold,
        json_data.labelled,
    )
    with services.db.write() as session:
        job = imports.create_import(
            session,
            current_actor(),
            uuid,
            new,
            services.settings.import_root_list,
            json_data.name,
            services.settings.threshold,
        )
        shown = JobOut.from_view(describe(session, job))
    return shown, 202, Headers({"Location": url_for("jobs.get_job", job_uuid=uuid)})
