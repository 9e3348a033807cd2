"""Looking through the labels: which are probably wrong, what more would bring, and which pictures to label."""

from apiflask import APIBlueprint

from core.base.errors import NotFound
from core.evaluation import label_quality
from core.jobs.progress import describe
from web.http.auth import current_user_id
from web.http.context import get_services
from web.schemas.jobs import JobOut
from web.schemas.label_quality import StudyIn, StudyOut, SuspectOut

api = APIBlueprint("studies", __name__, url_prefix="/api/v1/studies", tag="Labels")


@api.post("")
@api.input(StudyIn)
@api.output(JobOut, status_code=202, description="Waits for the training worker")
@api.doc(responses={404: "No such version", 422: "There are too few labels"})
def post_study(json_data: StudyIn) -> JobOut:
    """Look through everything that is labelled; nothing is changed

    While such a job is under way, that one is the answer.
    """
    services = get_services()
    with services.db.write() as session:
        job = label_quality.create_label_quality_job(session, json_data.version, current_user_id(), json_data.id)
        view, job_id = describe(session, job), job.id
    services.tasks.send_trainings([job_id])
    return JobOut.from_view(view)


@api.get("/newest")
@api.output(StudyOut)
@api.doc(responses={404: "Nobody has looked through the labels yet"})
def get_newest_study() -> StudyOut:
    """What the newest look through the labels found"""
    with get_services().db.read() as session:
        study = label_quality.find_newest_report(session)
        if study is None:
            raise NotFound("Nobody has looked through the labels yet. POST /api/v1/studies does.")
        suspects = label_quality.list_suspects(session, study)
    return StudyOut(
        version=study.version_id,
        created_at=study.created_at,
        n_labels=study.n_labels,
        curve=study.curve,
        suspects=[SuspectOut.model_validate(one, from_attributes=True) for one in suspects],
        wanted=study.wanted,
    )
