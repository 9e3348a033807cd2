"""Classify a folder of the server, or a bucket prefix, from the first page."""

from flask import Blueprint, Response, request

from core.accounts.rights import Right
from core.schedules import imports
from core.schedules.imports import NewImport
from web.http.context import get_services
from web.http.rights import current_actor, needs
from web.pages.jobs.jobs import see_job
from web.pages.jobs.uploads import new_id

pages = Blueprint("import_pages", __name__)


@pages.post("/imports")
@needs(Right.SCHEDULES)
def create_import() -> Response:
    """Let the server read a source that its operator allows. Sent twice, the form creates one job."""
    services, uuid = get_services(), new_id()
    new = NewImport(request.form.get("source", "").strip(), labelled="labelled" in request.form)
    roots, threshold = services.settings.import_root_list, services.settings.threshold
    with services.db.write() as session:
        imports.create_import(session, current_actor(), uuid, new, roots, default_threshold=threshold)
    return see_job(uuid)
