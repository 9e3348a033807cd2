"""Labels of images: adding, withdrawing and undoing them, and their history."""

from apiflask import APIBlueprint

from core.accounts.rights import Right
from core.base.states import LabelSource
from core.labels import history, labels
from core.labels.labels import NewLabel
from core.review import audits
from web.http.auth import current_user_id
from web.http.context import get_services
from web.http.paths import IMAGE_ID
from web.http.rights import needs
from web.schemas.common import PageQuery
from web.schemas.labels import HistoryOut, HistoryPage, LabelIn, LabelsIn, LabelsOut

TAG = {
    "name": "Labels",
    "description": "What people say about images: one by one, in bulk, or as a rearranged folder",
}
api = APIBlueprint("labels", __name__, url_prefix="/api/v1", tag=TAG)


@api.post("/labels")
@needs(Right.LABEL)
@api.input(LabelsIn)
@api.output(LabelsOut, status_code=201)
def add_labels(json_data: LabelsIn) -> LabelsOut:
    """Label images; the newest label counts, older ones are kept

    Either all items are recorded, or none. With `audit` they belong to an audit, and `source` is ignored.
    """
    source = LabelSource.AUDIT if json_data.audit else None
    items = [_new_label(item, source) for item in json_data.items]
    with get_services().db.write() as session:
        audit = audits.get_audit(session, json_data.audit) if json_data.audit else None
        if audit is not None:
            audits.check_pictures(session, audit, {item.image_id for item in items})
        n_labels = labels.add_labels(session, current_user_id(), items, audit.id if audit else None)
    return LabelsOut(n_labels=n_labels)


def _new_label(item: LabelIn, source: LabelSource | None) -> NewLabel:
    return NewLabel(item.image_id, item.label, source or LabelSource(item.source), item.key, item.undoes)


@api.get(f"/images/{IMAGE_ID}/labels")
@needs(Right.SEE)
@api.input(PageQuery, location="query")
@api.output(HistoryPage)
def list_image_labels(image_id: int, query_data: PageQuery) -> HistoryPage:
    """All labels of an image's content, newest first

    With user, time and reason (`source`), which were undone, and which one counts.
    """
    with get_services().db.read() as session:
        page = history.list_history(session, image_id, query_data.cursor, query_data.limit)
    items = [HistoryOut.model_validate(row, from_attributes=True) for row in page.items]
    return HistoryPage(items=items, next=page.next)
