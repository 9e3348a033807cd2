"""Label many pictures of a job in one call, and undo that in one call."""

from uuid import UUID

from apiflask import APIBlueprint

from core.accounts.rights import Right
from core.base.states import BatchKind
from core.orm.jobs import Job
from core.orm.review import LabelBatch
from core.review import bulk_labels
from web.http.context import get_services
from web.http.rights import current_actor, needs
from web.schemas.labels import BatchIn, BatchOut, UndoIn

api = APIBlueprint("label_batches", __name__, url_prefix="/api/v1", tag="Labels")

WORK_S = 2.0  # per call; proxies and people do not wait longer


@api.post("/jobs/<uuid:job_uuid>/labels")
@needs(Right.LABEL)
@api.input(BatchIn)
@api.output(BatchOut, status_code=200)
@api.doc(responses={409: "Another batch has this id"})
def create_label_batch(job_uuid: UUID, json_data: BatchIn) -> BatchOut:
    """Label all pictures that match a filter, or confirm the model's labels

    Each call works for a few seconds; repeat it with the same `id` until `is_finished`. Repeating it later is harmless.
    Confirming skips pictures that are unsure or already labelled by a person. With the filter `neither=probable`, it
    labels unsure pictures `neither`.
    """
    kind = BatchKind.CONFIRM if json_data.confirm else BatchKind.LABEL
    with get_services().db.write() as session:
        bulk_labels.create_batch(
            session,
            current_actor(),
            json_data.id,
            job_uuid,
            kind,
            json_data.filter.to_filter(),
            json_data.label,
            json_data.threshold,
            json_data.image_ids,
            json_data.except_ids,
        )
    return _run(json_data.id)


@api.get("/label-batches/<uuid:batch_uuid>")
@needs(Right.SEE)
@api.output(BatchOut)
def get_label_batch(batch_uuid: UUID) -> BatchOut:
    """One batch of labels"""
    return _show(batch_uuid)


@api.post("/label-batches/<uuid:batch_uuid>/undo")
@needs(Right.LABEL, own=True)
@api.input(UndoIn)
@api.output(BatchOut)
@api.doc(responses={409: "Another batch has this id, or the batch is an undo itself"})
def undo_label_batch(batch_uuid: UUID, json_data: UndoIn) -> BatchOut:
    """Undo a batch of labels; newer labels are kept

    The earlier labels count again. Repeat the call until `is_finished`.
    """
    with get_services().db.write() as session:
        undo = bulk_labels.undo_batch(session, current_actor(), json_data.id, batch_uuid)
    return _run(undo.uuid)


def _run(uuid: UUID) -> BatchOut:
    bulk_labels.run_batch(get_services().db, uuid, WORK_S)
    return _show(uuid)


def _show(uuid: UUID) -> BatchOut:
    with get_services().db.read() as session:
        batch = bulk_labels.get_batch(session, uuid)
        job = session.get(Job, batch.job_id) if batch.job_id is not None else None
        return show_batch(batch, job.uuid if job else None, bulk_labels.find_undo(session, batch))


def show_batch(batch: LabelBatch, job: UUID | None, undone_by: UUID | None) -> BatchOut:
    """A batch as the API shows it."""
    return BatchOut(
        id=batch.uuid,
        kind=BatchKind(batch.kind),
        job=job,
        label=batch.label,
        n_labels=batch.n_labels,
        n_skipped=batch.n_skipped,
        is_finished=batch.finished_at is not None,
        undone_by=undone_by,
        created_at=batch.created_at,
    )
