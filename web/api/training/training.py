"""Training jobs: preview the data, check parameters, start, follow the epochs."""

from typing import Literal
from uuid import UUID, uuid4

from apiflask import APIBlueprint

from core.accounts.rights import Right
from core.jobs import jobs
from core.jobs.progress import describe
from core.training import progress, training_jobs
from web.http.context import get_services
from web.http.rights import current_actor, needs
from web.schemas.jobs import JobOut
from web.schemas.training import (
    EpochList,
    EpochOut,
    TrainingDataIn,
    TrainingDataOut,
    TrainingJobIn,
    TrainingParametersIn,
    TrainingParametersOut,
)

TAG = {
    "name": "Training",
    "description": "Train a network on labelled pictures",
}
api = APIBlueprint("training", __name__, url_prefix="/api/v1", tag=TAG)

NO_UPLOAD = "No such upload, or no such version to start from"
INCOMPLETE = "An upload is not complete yet, or another job has this id"
DELETED = "An upload, or the version to start from, was deleted"


@api.post("/training-jobs/preview")
@needs(Right.SEND)
@api.input(TrainingDataIn)
@api.output(TrainingDataOut)
@api.doc(responses={404: NO_UPLOAD, 409: INCOMPLETE, 410: DELETED})
def preview_training(json_data: TrainingDataIn) -> TrainingDataOut:
    """Preview the training data: pictures per class, duplicates, unreadable files; starts nothing"""
    with get_services().db.read() as session:
        dataset = training_jobs.preview_data(session, current_actor(), _uploads(json_data.data))
    return TrainingDataOut(
        n_files=dataset.n_files,
        by_class=dataset.by_class,
        by_part=dataset.by_part,
        n_duplicates=dataset.n_duplicates,
        n_unreadable=dataset.n_unreadable,
        n_unlabelled=dataset.n_unlabelled,
        notes=dataset.notes,
        problem=dataset.problem,
    )


@api.post("/training-jobs/parameters")
@needs(Right.SEND)
@api.input(TrainingParametersIn)
@api.output(TrainingParametersOut)
@api.doc(responses={404: "No such version to start from", 410: DELETED, 422: "One sentence per invalid value"})
def check_training_parameters(json_data: TrainingParametersIn) -> TrainingParametersOut:
    """Check the parameters of a training before uploading anything; starts nothing

    Defaults are those for a small amount of data.
    """
    with get_services().db.read() as session:
        parameters = training_jobs.check_parameters(session, json_data.model_dump(), n_training=0)
    return TrainingParametersOut(**parameters.to_dict())


@api.post("/training-jobs")
@needs(Right.SEND)
@api.input(TrainingJobIn)
@api.output(JobOut, status_code=202, description="Waiting for a training worker")
@api.doc(responses={404: NO_UPLOAD, 409: INCOMPLETE, 410: DELETED, 422: "One sentence per invalid parameter or upload"})
def create_training_job(json_data: TrainingJobIn) -> JobOut:
    """Train a network on labelled pictures

    Defaults depend on the amount of data. The new version is a candidate until it is promoted. Labels of an upload
    `for_training` count once its owner, or an admin, trains on it; everybody else gets 403 until then.
    """
    services = get_services()
    given = json_data.model_dump(exclude={"id", "name", "data"})
    with services.db.write() as session:
        job = training_jobs.create_training_job(
            session,
            current_actor(),
            json_data.id or uuid4(),
            given,
            _uploads(json_data.data),
            json_data.name,
        )
        view, job_id = describe(session, job), job.id
    services.tasks.send_trainings([job_id])
    return JobOut.from_view(view)


@api.get("/jobs/<uuid:job_uuid>/epochs")
@needs(Right.SEE)
@api.output(EpochList)
@api.doc(responses={422: "The job is not a training"})
def list_epochs(job_uuid: UUID) -> EpochList:
    """The epochs of a training, and its current phase"""
    with get_services().db.read() as session:
        view = progress.describe_training(session, jobs.get_job(session, job_uuid))
    return EpochList(
        parameters=view.parameters,
        phase=view.phase,
        step=view.step,
        n_steps=view.n_steps,
        eta_s=view.eta_s,
        phase_left_s=view.phase_left_s,
        found=view.found,
        items=[EpochOut.model_validate(epoch, from_attributes=True) for epoch in view.epochs],
    )


def _uploads(data: Literal["all"] | list[UUID]) -> list[UUID] | None:
    return None if data == "all" else data
