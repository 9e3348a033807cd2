"""Results of a job, page by page."""

from collections import Counter
from uuid import UUID

from apiflask import APIBlueprint

from core.accounts.rights import Right
from core.base.errors import ErrorCode, ImageWarning, NotFound
from core.base.network_catalog import CLASSES
from core.jobs import heatmaps, jobs, navigation, results
from core.jobs.results import ResultRow
from web.http.context import get_services
from web.http.paths import IMAGE_ID
from web.http.rights import needs
from web.schemas.results import (
    HeatOut,
    HistogramOut,
    HistogramQuery,
    LandmarkQuery,
    LandmarksOut,
    ResultOut,
    ResultPage,
    ResultQuery,
)

TAG = {
    "name": "Results",
    "description": "What a version predicts for each image of a job, page by page or as a file",
}
api = APIBlueprint("results", __name__, url_prefix="/api/v1/jobs", tag=TAG)


@api.get("/<uuid:job_uuid>/results")
@needs(Right.SEE)
@api.input(ResultQuery, location="query")
@api.output(ResultPage)
def list_results(job_uuid: UUID, query_data: ResultQuery) -> ResultPage:
    """The prediction and the human label of each image

    `error_code=any` lists all failed files. Sorted by confidence, failed files are omitted.
    """
    with get_services().db.read() as session:
        job = jobs.get_job(session, job_uuid)
        page = results.list_results(session, job, query_data.to_filter(), query_data.cursor, query_data.limit)
    return ResultPage(items=[_show(row) for row in page.items], next=page.next)


@api.get("/<uuid:job_uuid>/results/landmarks")
@needs(Right.SEE)
@api.input(LandmarkQuery, location="query")
@api.output(LandmarksOut)
def list_landmarks(job_uuid: UUID, query_data: LandmarkQuery) -> LandmarksOut:
    """Where the pages of a list of results begin, to open any of them directly

    `cursor` and `limit` are ignored.
    """
    with get_services().db.read() as session:
        job = jobs.get_job(session, job_uuid)
        found = navigation.find_page_cursors(session, job, query_data.to_filter(), query_data.every)
    return LandmarksOut(n=found.n, every=query_data.every, cursors=found.cursors)


@api.get(f"/<uuid:job_uuid>/results/{IMAGE_ID}/heat")
@needs(Right.SEE)
@api.output(HeatOut)
def get_heatmap(job_uuid: UUID, image_id: int) -> HeatOut:
    """Class activation map: where in a picture the evidence for the predicted class is

    Rows of a square grid, from the top. Values from 0, no evidence, to 255, the strongest evidence in this picture. 404
    if the version has no such maps, or the image failed.
    """
    with get_services().db.read() as session:
        found = heatmaps.find_heatmap(session, jobs.get_job(session, job_uuid), image_id)
    if found is None:
        raise NotFound(f"Job {job_uuid} has no heat map of image {image_id}: not every network provides them.")
    return HeatOut(class_name=found.class_name, rows=found.rows)


@api.get("/<uuid:job_uuid>/histogram")
@needs(Right.SEE)
@api.input(HistogramQuery, location="query")
@api.output(HistogramOut)
def get_histogram(job_uuid: UUID, query_data: HistogramQuery) -> HistogramOut:
    """Confidence of all results, or of some; sums over the bins give the counts by label at any threshold"""
    wanted = query_data.to_filter()
    with get_services().db.read() as session:
        job = jobs.get_job(session, job_uuid)
        histogram = navigation.find_histogram(session, job, wanted)
    bins: dict[str, list[tuple[int, int]]] = {name: [] for name in CLASSES}
    neither: Counter[int] = Counter()
    for class_index, thousandth, n, n_neither in histogram.bins:
        bins[CLASSES[class_index]].append((thousandth, n))
        neither[thousandth] += n_neither
    some = sorted((thousandth, n) for thousandth, n in neither.items() if n)
    return HistogramOut(threshold=job.threshold_milli / 1000, bins=bins, neither=some, n_failed=histogram.n_failed)


def _show(row: ResultRow) -> ResultOut:
    """One image of a job as the API shows it."""
    return ResultOut(
        image_id=row.image_id,
        path=row.path,
        label=row.label,
        confidence=row.confidence,
        probabilities=None if row.probabilities is None else dict(zip(CLASSES, row.probabilities, strict=True)),
        human_label=row.human_label,
        error_code=ErrorCode(row.error_code) if row.error_code else None,
        error=row.error,
        warning=ImageWarning(row.warning) if row.warning else None,
        sha256=row.sha256.hex(),
    )
