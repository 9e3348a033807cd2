"""Model versions: list them, promote one, roll back, delete one, and the history of deployments."""

from collections.abc import Mapping, Sequence

from apiflask import APIBlueprint
from flask import Response
from sqlalchemy.orm import Session

from core.accounts import accounts
from core.accounts.rights import Right
from core.base.errors import NotFound
from core.cleanup import deletion
from core.evaluation import promotion_check
from core.evaluation.promotion_check import PromotionCheck
from core.labels import counts
from core.models import deployment, promised_thresholds, registry
from core.orm.models import Deployment, ModelVersion
from web.http.context import get_services
from web.http.paths import VERSION
from web.http.rights import current_actor, needs
from web.schemas.common import PageQuery
from web.schemas.models import (
    DeploymentList,
    DeploymentOut,
    ModelList,
    ModelOut,
    PromotionCheckOut,
    PromotionOut,
    RollbackIn,
    ThresholdOut,
    ThresholdQuery,
)

TAG = {
    "name": "Models",
    "description": "Model versions: compare, promote, roll back, evaluate",
}
api = APIBlueprint("models", __name__, url_prefix="/api/v1", tag=TAG)


@api.get("/models")
@needs(Right.SEE)
@api.input(PageQuery, location="query")
@api.output(ModelList)
def list_models(query_data: PageQuery) -> ModelList:
    """All model versions, newest first"""
    with get_services().db.read() as session:
        page = registry.page_versions(session, query_data.cursor, query_data.limit)
        return ModelList(items=_show(session, page.items), next=page.next)


@api.get(f"/models/{VERSION}")
@needs(Right.SEE)
@api.output(ModelOut)
def get_model(version: int) -> ModelOut:
    """One model version with its manifest"""
    with get_services().db.read() as session:
        return _show(session, [registry.get_version(session, version)])[0]


@api.get(f"/models/{VERSION}/thresholds")
@needs(Right.SEE)
@api.input(ThresholdQuery, location="query")
@api.output(ThresholdOut)
@api.doc(
    responses={404: "No such version", 422: "No threshold keeps the promise; the message says what can be promised"}
)
def get_threshold(version: int, query_data: ThresholdQuery) -> ThresholdOut:
    """The threshold that keeps a promise, such as at most 1 % wrong labels

    It holds for pictures like those that the version was validated on. Use it as the `threshold` of a job.
    """
    with get_services().db.read() as session:
        row = registry.get_version(session, version)
    found = promised_thresholds.promise(row, query_data.max_error)
    names = (
        "max_error",
        "threshold",
        "coverage",
        "error",
        "error_low",
        "error_high",
        "n_images",
        "n_labelled",
        "n_wrong",
    )
    return ThresholdOut(
        version=version,
        digest=row.digest,
        confidence_level=promised_thresholds.LEVEL,
        split=promised_thresholds.VALIDATION,
        data_sha256=row.manifest.get("data", {}).get("sha256"),
        **{name: getattr(found, name) for name in names},
    )


@api.get(f"/models/{VERSION}/promotion")
@needs(Right.SEE)
@api.output(PromotionCheckOut)
def check_promotion(version: int) -> PromotionCheckOut:
    """Compare a version with the one in use, before it is promoted"""
    check = _check_promotion(version)
    counts = check.counts
    return PromotionCheckOut(
        version=version,
        in_use=check.in_use,
        n_images=counts.n_images,
        accuracy=counts.second_accuracy if counts.n_images else None,
        accuracy_in_use=counts.first_accuracy if counts.n_images else None,
        p_value=counts.p_value,
        is_better=check.is_better,
        summary=check.summary,
        warning=check.warning,
    )


@api.post(f"/models/{VERSION}/promote")
@needs(Right.MODELS)
@api.output(PromotionOut)
@api.doc(responses={404: "No such version", 409: "Its weights are missing or damaged"})
def promote_model(version: int) -> PromotionOut:
    """Use a version for all jobs that are created from now on

    Existing jobs keep their version. Promoting the version in use changes nothing. `warning` says what spoke against
    it; `GET /models/{version}/promotion` says so before.
    """
    services = get_services()
    warning = _check_promotion(version).warning
    line = _show_line(deployment.promote(services.db, services.blobs, current_actor(), version))
    return PromotionOut(**line.model_dump(), warning=warning)


@api.post("/models/rollback")
@needs(Right.MODELS)
@api.input(RollbackIn)
@api.output(DeploymentOut)
@api.doc(
    responses={
        404: "No version is in use",
        409: "No previous version, its weights are damaged, or another version than the one named is in use",
    }
)
def roll_back_model(json_data: RollbackIn) -> DeploymentOut:
    """Restore the version that was in use before the current one

    Repeated calls go further back in the history; they never toggle.
    """
    services = get_services()
    return _show_line(deployment.roll_back(services.db, services.blobs, current_actor(), json_data.in_use))


@api.delete(f"/models/{VERSION}")
@needs(Right.MODELS)
@api.doc(responses={202: "Deleted", 404: "No such version", 409: "The version is in use, or needed"})
def delete_model(version: int) -> Response:
    """Delete a version that is not needed; its weights are deleted in the background"""
    services = get_services()
    with services.db.write() as session:
        deletion.delete_version(session, current_actor(), version)
    services.tasks.send_purge()
    return Response(status=202)


@api.get("/deployments")
@needs(Right.SEE)
@api.input(PageQuery, location="query")
@api.output(DeploymentList)
def list_deployments(query_data: PageQuery) -> DeploymentList:
    """History of the versions in use, newest first"""
    with get_services().db.read() as session:
        names = accounts.list_names(session)
        page = registry.page_deployments(session, query_data.cursor, query_data.limit)
        return DeploymentList(items=[_show_deployment(one, names) for one in page.items], next=page.next)


def _check_promotion(version: int) -> PromotionCheck:
    with get_services().db.read() as session:
        return promotion_check.check_promotion(session, registry.get_version(session, version))


def _find_in_use(session: Session) -> int | None:
    try:
        return registry.current_version(session).id
    except NotFound:  # a server without any version yet
        return None


def _show(session: Session, versions: Sequence[ModelVersion]) -> list[ModelOut]:
    in_use = _find_in_use(session)
    n_new = counts.count_since_each(session, [version.id for version in versions])
    return [
        ModelOut(
            version=version.id,
            network=version.network,
            digest=version.digest,
            in_use=version.id == in_use,
            n_new_labels=n_new[version.id],
            created_at=version.created_at,
            manifest={**version.manifest},
        )
        for version in versions
    ]


def _show_line(one: Deployment) -> DeploymentOut:
    with get_services().db.read() as session:
        return _show_deployment(one, accounts.list_names(session))


def _show_deployment(one: Deployment, names: Mapping[int, str]) -> DeploymentOut:
    user = None if one.user_id is None else names.get(one.user_id)
    return DeploymentOut(
        id=one.id, version=one.model_version_id, reason=one.reason, user=user, who=user, created_at=one.created_at
    )
