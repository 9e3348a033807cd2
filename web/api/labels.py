"""What people say of images, and the model versions that say otherwise."""

from apiflask import APIBlueprint

from core import labels, registry
from core.errors import NotFound
from core.labels import NewLabel
from core.orm import LabelSource
from web.api.schemas import DeploymentList, DeploymentOut, LabelsIn, LabelsOut, ModelList, ModelOut
from web.auth import current_user_id
from web.services import get_services

api = APIBlueprint("labels", __name__, url_prefix="/api/v1", tag="Labels and models")


@api.post("/labels")
@api.input(LabelsIn)
@api.output(LabelsOut, status_code=201)
def post_labels(json_data: LabelsIn) -> LabelsOut:
    """Say what images show; nothing is overwritten, the newest counts

    All of the items are recorded, or none.
    """
    items = [NewLabel(item.image_id, item.label, LabelSource(item.source)) for item in json_data.items]
    with get_services().db.write() as session:
        return LabelsOut(n_labels=labels.add_labels(session, current_user_id(), items))


@api.get("/models")
@api.output(ModelList)
def list_models() -> ModelList:
    """All model versions, newest first"""
    with get_services().db.read() as session:
        try:
            in_use = registry.current_version(session).id
        except NotFound:  # a server that nobody has migrated yet
            in_use = None
        items = [
            ModelOut(
                version=version.id,
                network=version.network,
                digest=version.digest,
                in_use=version.id == in_use,
                created_at=version.created_at,
                manifest=version.manifest,
            )
            for version in registry.list_versions(session)
        ]
    return ModelList(items=items)


@api.get("/deployments")
@api.output(DeploymentList)
def list_deployments() -> DeploymentList:
    """Which version was in use since when, newest first"""
    with get_services().db.read() as session:
        items = [
            DeploymentOut(id=one.id, version=one.model_version_id, reason=one.reason, created_at=one.created_at)
            for one in registry.list_deployments(session)
        ]
    return DeploymentList(items=items)
