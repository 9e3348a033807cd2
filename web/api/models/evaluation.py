"""Evaluation of versions: on the labelled pictures here, prediction by prediction, and two versions compared.

The API calls an evaluation judging, and a prediction a judgement; ids of operations come from the names here.
"""

from apiflask import APIBlueprint

from core.accounts.rights import Right
from core.base.network_catalog import CLASSES
from core.evaluation import evaluation_jobs, predictions, version_comparison
from core.evaluation.predictions import PredictionFilter, PredictionRow
from core.jobs.progress import describe
from core.models import registry
from core.models.accuracy import LabelledPrediction
from web.http.context import get_services
from web.http.paths import OTHER_VERSION, VERSION
from web.http.rights import current_actor, needs
from web.schemas.common import PageQuery
from web.schemas.evaluation import (
    ComparisonOut,
    DifferenceOut,
    DifferencePage,
    FiguresOut,
    JudgementOut,
    JudgementPage,
    JudgementQuery,
)
from web.schemas.jobs import JobOut

api = APIBlueprint("judging", __name__, url_prefix="/api/v1/models", tag="Models")


@api.post(f"/{VERSION}/judge")
@needs(Right.SEND)
@api.output(JobOut, status_code=202, description="Waiting for a training worker")
@api.doc(responses={404: "No such version", 422: "No labelled picture is in the test split"})
def evaluate_model(version: int) -> JobOut:
    """Evaluate a version on the test split of all labelled pictures

    If an evaluation of this version is already running, the response is that job.
    """
    services = get_services()
    with services.db.write() as session:
        job = evaluation_jobs.create_evaluation_job(session, current_actor(), version)
        view, job_id = describe(session, job), job.id
    services.tasks.send_trainings([job_id])
    return JobOut.from_view(view)


@api.get(f"/{VERSION}/figures")
@needs(Right.SEE)
@api.output(FiguresOut)
def get_model_figures(version: int) -> FiguresOut:
    """Metrics of a version on the test split here; the manifest has the metrics from when it was made"""
    with get_services().db.read() as session:
        row = registry.get_version(session, version)
        return FiguresOut(version=version, figures={**predictions.measure_version(session, row)})


@api.get(f"/{VERSION}/judgements")
@needs(Right.SEE)
@api.input(JudgementQuery, location="query")
@api.output(JudgementPage)
def list_predictions(version: int, query_data: JudgementQuery) -> JudgementPage:
    """The prediction and the label of each picture in the test split"""
    filters = PredictionFilter(true=query_data.true, predicted=query_data.called, sort=query_data.sort)
    with get_services().db.read() as session:
        row = registry.get_version(session, version)
        page = predictions.list_predictions(session, row.id, filters, query_data.cursor, query_data.limit)
    return JudgementPage(items=[_show_prediction(one) for one in page.items], next=page.next)


@api.get(f"/{VERSION}/compare/{OTHER_VERSION}")
@needs(Right.SEE)
@api.output(ComparisonOut)
def compare_models(version: int, other: int) -> ComparisonOut:
    """Compare two versions on the pictures that both were evaluated on, with McNemar's test"""
    with get_services().db.read() as session:
        first, second = registry.get_version(session, version), registry.get_version(session, other)
        comparison = version_comparison.compare(session, first, second)
    return ComparisonOut.model_validate(comparison, from_attributes=True)


@api.get(f"/{VERSION}/compare/{OTHER_VERSION}/differences")
@needs(Right.SEE)
@api.input(PageQuery, location="query")
@api.output(DifferencePage)
def list_differences(version: int, other: int, query_data: PageQuery) -> DifferencePage:
    """The pictures with different predictions of two versions"""
    with get_services().db.read() as session:
        first, second = registry.get_version(session, version), registry.get_version(session, other)
        page = version_comparison.list_differences(session, first.id, second.id, query_data.cursor, query_data.limit)
    items = [
        DifferenceOut(
            image_id=one.image_id,
            path=one.path,
            label=one.label,
            first=_probabilities(one.first),
            second=_probabilities(one.second),
        )
        for one in page.items
    ]
    return DifferencePage(items=items, next=page.next)


def _show_prediction(row: PredictionRow) -> JudgementOut:
    return JudgementOut(
        image_id=row.image_id,
        path=row.path,
        sha256=row.sha256.hex(),
        label=row.label,
        called=row.predicted,
        confidence=row.confidence,
        probabilities=dict(zip(CLASSES, row.probabilities, strict=True)),
    )


def _probabilities(prediction: LabelledPrediction) -> dict[str, float]:
    return dict(zip(CLASSES, prediction.probabilities, strict=True))
