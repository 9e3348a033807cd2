"""The failed files of a job: what is wrong with each and what to do, retry, and a list to download."""

from dataclasses import replace
from uuid import UUID

from flask import Blueprint, Response, render_template, request
from sqlalchemy.orm import Session

from core.accounts.rights import Right
from core.base.errors import ErrorCode, ImageWarning
from core.base.paging import Page
from core.base.states import JobKind
from core.jobs import jobs, navigation, results
from core.jobs.progress import describe
from core.jobs.result_filter import ResultFilter
from core.jobs.results import ResultRow
from core.labels import counts
from core.orm.jobs import Job
from core.orm.uploads import Upload
from web.exports import formats
from web.http.arguments import member_of, read_argument
from web.http.context import get_services
from web.http.rights import needs
from web.pages.jobs.job_view import with_counts
from web.pages.jobs.jobs import see_job
from web.pages.jobs.picture_filter import PictureFilter

pages = Blueprint("failure_pages", __name__)

FAILURES_SHOWN = 200


@pages.get("/jobs/<uuid:uuid>/failed")
@needs(Right.SEE)
def show_failed(uuid: UUID) -> str | Response:
    """All failed files, or those with one error code, and the skipped entries of an archive."""
    cursor, code = request.args.get("cursor"), read_argument("error_code", member_of(ErrorCode))
    filters = PictureFilter.from_request().of_files
    with get_services().db.read() as session:
        job = jobs.get_job(session, uuid)
        if job.kind != JobKind.CLASSIFY:
            return see_job(uuid)
        reasons = navigation.count_errors(session, job, filters.scope)
        wanted = replace(filters.scope, failed=True, error_code=code)
        page = results.list_results(session, job, wanted, cursor, FAILURES_SHOWN)
        partly_read = _list_partly_read(session, job, filters.scope)
        view = describe(session, job)
        histogram = navigation.find_histogram(session, job, filters.scope)
        n_new = counts.count_since_training(session, job.model_version_id)
        upload = session.get(Upload, job.upload_id) if job.upload_id else None
    return render_template(
        "jobs/failures.html",
        job=view,
        counted=with_counts(view, histogram),
        filters=filters,
        reasons=reasons,
        code=code,
        rows=page.items,
        partly_read=partly_read,
        warning=ImageWarning.PARTLY_READABLE,
        next=page.next,
        upload=upload,
        n_new=n_new,
        is_failed_view=True,
        exports=formats.EXPORTS,
    )


def _list_partly_read(session: Session, job: Job, scope: ResultFilter) -> Page[ResultRow]:
    """Pictures that have a label although a part of them is missing: the first ones, and whether there are more."""
    wanted = replace(scope, warning=ImageWarning.PARTLY_READABLE)
    return results.list_results(session, job, wanted, None, FAILURES_SHOWN)
