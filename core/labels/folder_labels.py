"""Labels by folders' names: they wait until their upload is complete or a training accepts it, then they count.

    shard ─► pending ─► counting ─► withdrawn: a NULL label of the folder names what it takes back
                ▲           │
                └───────────┘ the training ended without a version; a retry lets them count again

Nothing that has counted is removed.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, insert, literal, null, select
from sqlalchemy.orm import Session

from core.accounts.audit_log import Action, record
from core.accounts.rights import Actor, check_owner
from core.base.database import change, locked, slices
from core.base.errors import Forbidden, NotFound
from core.base.states import LabelSource
from core.labels.labels import human_label_of, label_of_path, person_label_of
from core.labels.undo import is_undone
from core.orm.jobs import Job
from core.orm.labels import Label, PendingLabel
from core.orm.training import TrainingUpload
from core.orm.uploads import Image, Upload


def add_pending(session: Session, upload: Upload, user_id: int | None, images: Iterable[tuple[bytes, str]]) -> None:
    """Note what the folders say of (sha256, path); images in no folder with a known name are left out.

    Args:
        user_id: Who sent the images.
    """
    rows = [
        {"upload_id": upload.id, "sha256": sha256, "label": label, "user_id": user_id}
        for sha256, path in images
        if (label := label_of_path(path)) is not None
    ]
    if rows:
        session.execute(insert(PendingLabel), rows)


def check_may_count(session: Session, actor: Actor, uploads: Sequence[Upload]) -> None:
    """Refuse to train on somebody else's uploads whose labels do not count yet: that would make them count.

    Raises:
        Forbidden: One of the uploads is such, and the actor is no admin.
    """
    foreign = {upload.id: upload for upload in uploads if not actor.may_change(upload.user_id)}
    waits = select(PendingLabel.upload_id).where(PendingLabel.upload_id.in_(foreign)).order_by(PendingLabel.upload_id)
    waiting_id = session.scalar(waits.limit(1))
    if waiting_id is not None:
        raise Forbidden(
            f"The labels of upload {foreign[waiting_id].uuid} do not count yet. Only the person who owns it, or an"
            f" admin, can train on it first; you are “{actor.name}”. Ask one of them, or choose other pictures."
        )


def start_counting(session: Session, actor: Actor | None, uploads: Sequence[Upload]) -> None:
    """Let the pending labels of uploads count from now on; repeating it is harmless.

    Args:
        actor: Who completes the uploads, or trains with them; None for Pawsort itself.
    Raises:
        Forbidden: As `check_may_count`.
    """
    if actor is not None:
        check_may_count(session, actor, uploads)
    waiting = PendingLabel.upload_id.in_([upload.id for upload in uploads])
    each = select(PendingLabel.upload_id, func.count()).where(waiting).group_by(PendingLabel.upload_id)
    n_labels = dict(session.execute(each).all())
    source = literal(LabelSource.FOLDER.value)
    columns = (PendingLabel.sha256, PendingLabel.label, source, PendingLabel.user_id, PendingLabel.upload_id)
    moved = select(*columns).where(waiting).order_by(PendingLabel.id)
    session.execute(insert(Label).from_select(("sha256", "label", "source", "user_id", "upload_id"), moved))
    drop_pending(session, n_labels)
    for upload in uploads:
        if n := n_labels.get(upload.id):
            record(session, actor, Action.LABELS_ADD, "upload", upload.uuid, kind="folders", n_labels=n)


def stop_counting(session: Session, upload_ids: Collection[int]) -> None:
    """Withdraw the labels of uploads, but keep them pending."""
    columns = (Label.sha256, Label.label, Label.user_id, Label.upload_id)
    back = select(*columns).where(_is_counting(upload_ids)).order_by(Label.id)
    session.execute(insert(PendingLabel).from_select(("sha256", "label", "user_id", "upload_id"), back))
    _take_back(session, upload_ids, None)


def withdraw(session: Session, actor: Actor, uuid: UUID) -> int:
    """Withdraw all labels that the folders of an upload gave, also of a deleted one; repeating it is harmless.

    Returns:
        How many labels counted before.
    Raises:
        NotFound: There never was such an upload.
        Forbidden: It is somebody else's.
    """
    upload = session.scalar(locked(select(Upload).where(Upload.uuid == uuid)))
    if upload is None:
        raise NotFound(f"There is no upload {uuid}. Nothing was withdrawn.")
    check_owner(actor, upload.user_id, f"upload {uuid}")
    _wait_for_trainings(session, upload.id)
    drop_pending(session, [upload.id])
    n_labels = count_counting(session, [upload.id])
    _take_back(session, [upload.id], actor.user_id)
    if n_labels:
        record(session, actor, Action.LABELS_UNDO, "upload", uuid, n_labels=n_labels)
    return n_labels


def drop_pending(session: Session, upload_ids: Collection[int]) -> None:
    """Forget labels that do not count yet."""
    change(session, delete(PendingLabel).where(PendingLabel.upload_id.in_(upload_ids)))


def count_counting(session: Session, upload_ids: Collection[int]) -> int:
    """How many labels of uploads' folders are not withdrawn, also where people have said otherwise since."""
    return session.scalars(select(func.count()).where(_is_counting(upload_ids))).one()


def find_pending(session: Session, labels: Mapping[bytes, str]) -> set[bytes]:
    """Those contents to which a folder will give this label."""
    found: set[bytes] = set()
    for some in slices(labels):
        rows = session.execute(select(PendingLabel.sha256, PendingLabel.label).where(PendingLabel.sha256.in_(some)))
        found |= {row.sha256 for row in rows if row.label == labels[row.sha256]}
    return found


def expected_label_of(image: type[Image], upload_ids: Sequence[int]) -> ColumnElement[str | None]:
    """SQL for the label of an image that will count once the pending labels of uploads do."""
    pending = (
        select(PendingLabel.label)
        .where(PendingLabel.sha256 == image.sha256, PendingLabel.upload_id.in_(upload_ids))
        .order_by(PendingLabel.id.desc())
        .limit(1)
        .correlate(image)
        .scalar_subquery()
    )
    return func.coalesce(person_label_of(image), pending, human_label_of(image))


def _wait_for_trainings(session: Session, upload_id: int) -> None:
    """Let those who are ending a training put its labels back first: they hold the job, and come to no upload.

    Locks are taken in the order upload, job, as everywhere.
    """
    uses = select(TrainingUpload.job_id).where(TrainingUpload.upload_id == upload_id)
    session.execute(locked(select(Job.id).where(Job.id.in_(uses)).order_by(Job.id)))


def _is_counting(upload_ids: Collection[int]) -> ColumnElement[bool]:
    return Label.upload_id.in_(upload_ids) & Label.label.is_not(None) & ~is_undone(Label)


def _take_back(session: Session, upload_ids: Collection[int], user_id: int | None) -> None:
    columns = (Label.sha256, null(), Label.source, literal(user_id, Label.user_id.type), Label.upload_id, Label.id)
    undone = select(*columns).where(_is_counting(upload_ids)).order_by(Label.id)
    names = ("sha256", "label", "source", "user_id", "upload_id", "undoes_id")
    session.execute(insert(Label).from_select(names, undone))
