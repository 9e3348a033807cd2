"""What people say of images."""

from apiflask import APIBlueprint

from core import labels
from core.labels import NewLabel
from core.orm import LabelSource
from web.api.schemas import LabelsIn, LabelsOut
from web.auth import current_user_id
from web.services import get_services

api = APIBlueprint("labels", __name__, url_prefix="/api/v1", tag="Labels")


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
