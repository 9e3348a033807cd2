"""Labels of images: adding, withdrawing and undoing them, and their history."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from core.accounts.audit_log import Action, record
from core.accounts.rights import Right
from core.base.states import LabelSource
from core.labels import contents, history, labels
from core.labels.labels import NewLabel
from core.review import audits, label_lists
from web.http.auth import current_user_id
from web.http.context import get_services
from web.http.paths import IMAGE_ID
from web.http.rights import current_actor, needs
from web.schemas.common import PageQuery
from web.schemas.labels import HistoryOut, HistoryPage, LabelsIn, LabelsOut, RelabellingOut

TAG = {
    "name": "Labels",
    "description": "What people say about images: one by one, in bulk, or as a rearranged folder",
}
BULK = 10  # labels of one call from which on it is in the audit log; each label has its person and time anyway

api = APIBlueprint("labels", __name__, url_prefix="/api/v1", tag=TAG)


@api.post("/labels")
@needs(Right.LABEL)
@api.input(LabelsIn)
@api.output(LabelsOut, status_code=201)
@api.doc(responses={404: "No such image, label or audit", 409: "The batch was undone, or is a different one"})
def add_labels(json_data: LabelsIn) -> LabelsOut:
    """Label images, by image or by content; the newest label counts, older ones are kept

    Either all items are recorded, or none; only contents that are in no upload are left out and listed as `unknown`. A
    label counts wherever its content appears. With `audit` the labels belong to an audit, and `source` is ignored.
    """
    db = get_services().db
    with db.read() if json_data.dry_run else db.write() as session:
        digests = [bytes.fromhex(item.sha256) for item in json_data.items if item.sha256]
        images = contents.find_images(session, current_user_id(), digests)
        return _answer(session, json_data, images)


def _answer(session: Session, asked: LabelsIn, images: Mapping[bytes, int]) -> LabelsOut:
    source = LabelSource.AUDIT if asked.audit else None
    items, unknown = [], []
    for item in asked.items:
        image_id = item.image_id if item.sha256 is None else images.get(bytes.fromhex(item.sha256))
        if image_id is None:
            unknown.append(str(item.sha256))
        else:
            items.append(NewLabel(image_id, item.label, source or LabelSource(item.source), item.key, item.undoes))
    if not asked.is_list:
        return LabelsOut(n_labels=_add(session, asked.audit, items), unknown=unknown)
    outcome = (
        label_lists.check_list(session, items)
        if asked.batch is None or asked.dry_run
        else label_lists.add_list(session, current_actor(), asked.batch, items)
    )
    changes = [RelabellingOut.model_validate(one, from_attributes=True) for one in outcome.changes]
    return LabelsOut(n_labels=outcome.n_labels, n_unchanged=outcome.n_unchanged, changes=changes, unknown=unknown)


def _add(session: Session, audit_uuid: UUID | None, items: Sequence[NewLabel]) -> int:
    audit = audits.get_audit(session, audit_uuid) if audit_uuid else None
    if audit is not None:
        audits.check_pictures(session, audit, {item.image_id for item in items})
    n_labels = labels.add_labels(session, current_user_id(), items, audit.id if audit else None)
    if n_labels >= BULK:
        record(session, current_actor(), Action.LABELS_ADD, n_labels=n_labels)
    return n_labels


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
