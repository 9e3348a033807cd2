"""Audits: random samples of a job, labelled without sight of the predictions, to estimate the accuracy."""

from dataclasses import asdict
from uuid import UUID, uuid4

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from core.accounts.rights import Right
from core.jobs import jobs
from core.orm.jobs import Job
from core.orm.review import Audit
from core.review import audits
from web.http.auth import current_user_id
from web.http.context import get_services
from web.http.rights import needs
from web.schemas.common import PageQuery
from web.schemas.review import AuditIn, AuditOut, AuditPage

api = APIBlueprint("audits", __name__, url_prefix="/api/v1", tag="Review")


@api.post("/jobs/<uuid:job_uuid>/audits")
@needs(Right.LABEL)
@api.input(AuditIn)
@api.output(AuditOut, status_code=201)
@api.doc(responses={409: "The job has not ended, has no readable picture, or another audit has this id"})
def create_audit(job_uuid: UUID, json_data: AuditIn) -> AuditOut:
    """Draw a random sample of a job that has ended

    Every readable picture has the same chance. Get its pictures with `POST /jobs/{job_uuid}/review` and label them with
    `POST /labels`, both with the id of the sample as `audit`.
    """
    uuid = json_data.id or uuid4()
    audit = audits.draw_audit(get_services().db, uuid, job_uuid, current_user_id(), json_data.size)
    with get_services().db.read() as session:
        return show_audit(session, audit)


@api.get("/jobs/<uuid:job_uuid>/audits")
@needs(Right.SEE)
@api.input(PageQuery, location="query")
@api.output(AuditPage)
def list_audits(job_uuid: UUID, query_data: PageQuery) -> AuditPage:
    """The audits of a job with their results, newest first"""
    with get_services().db.read() as session:
        job = jobs.get_job(session, job_uuid)
        page = audits.list_audits(session, job, query_data.cursor, query_data.limit)
        return AuditPage(items=[show_audit(session, audit) for audit in page.items], next=page.next)


@api.get("/audits/<uuid:audit_uuid>")
@needs(Right.SEE)
@api.output(AuditOut)
def get_audit(audit_uuid: UUID) -> AuditOut:
    """One audit with its result so far"""
    with get_services().db.read() as session:
        return show_audit(session, audits.get_audit(session, audit_uuid))


def show_audit(session: Session, audit: Audit) -> AuditOut:
    """An audit as the API shows it, at the job's current threshold."""
    job = session.get_one(Job, audit.job_id)
    view = audits.describe_audit(session, audit, job.threshold_milli)
    figures = {name: value for name, value in asdict(view).items() if name in AuditOut.model_fields}
    return AuditOut(
        id=audit.uuid,
        job=job.uuid,
        size=audit.size,
        seed=audit.seed,
        n_images=audit.n_images,
        n_population=audit.n_population,
        created_at=audit.created_at,
        is_complete=view.is_complete,
        **figures,
    )
