"""Label quality checks: labels that are probably wrong, the value of more labels, pictures to label next.

The API calls them studies.
"""

from apiflask import APIBlueprint

from core.accounts.rights import Right
from core.base.errors import NotFound
from core.evaluation import label_quality
from core.jobs.progress import describe
from web.http.context import get_services
from web.http.rights import current_actor, needs
from web.schemas.jobs import JobOut
from web.schemas.label_quality import StudyIn, StudyOut, SuspectOut

api = APIBlueprint("studies", __name__, url_prefix="/api/v1/studies", tag="Labels")


@api.post("")
@needs(Right.SEND)
@api.input(StudyIn)
@api.output(JobOut, status_code=202, description="Waiting for a training worker")
@api.doc(
    responses={
        404: "No such version",
        409: "Another job has this id",
        410: "The version was deleted",
        422: "Too few labels",
    }
)
def create_study(json_data: StudyIn) -> JobOut:
    """Check all labels; changes nothing

    If a check is already running, the response is that job.
    """
    services = get_services()
    with services.db.write() as session:
        job = label_quality.create_label_quality_job(session, current_actor(), json_data.version, json_data.id)
        view, job_id = describe(session, job), job.id
    services.tasks.send_trainings([job_id])
    return JobOut.from_view(view)


@api.get("/newest")
@needs(Right.SEE)
@api.output(StudyOut)
@api.doc(responses={404: "The labels were not checked yet"})
def get_newest_study() -> StudyOut:
    """The result of the newest check"""
    with get_services().db.read() as session:
        study = label_quality.find_newest_report(session)
        if study is None:
            raise NotFound("The labels were not checked yet. Start a check with POST /api/v1/studies.")
        suspects = label_quality.list_suspects(session, study)
    return StudyOut(
        version=study.version_id,
        created_at=study.created_at,
        n_labels=study.n_labels,
        curve=study.curve,
        suspects=[SuspectOut.model_validate(one, from_attributes=True) for one in suspects],
        wanted=study.wanted,
    )
