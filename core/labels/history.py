"""The history of labels of an image's content: by whom, when, why, and whether it still counts. Reads only."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from core.base.paging import Page, decode_cursor, encode_cursor
from core.base.states import LabelSource
from core.labels.contents import digests_of
from core.labels.undo import find_valid_labels, stands
from core.orm.accounts import User
from core.orm.labels import Label
from core.orm.review import Audit, LabelBatch
from core.orm.uploads import Image, Upload


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One label of a content.

    Attributes:
        image_id: The image that was labelled: perhaps another one with the same content; None for folders' labels.
        user: Who labelled it; None when unknown.
        batch: The batch that it was part of.
        audit: The audit that it was given in.
        undoes: The label that this one takes back.
        upload: The upload whose folder gave it; None for labels by people.
        is_undone: Whether a later one takes this one back.
        counts: Whether this is what the content is called now.
    """

    id: int
    label: str | None
    source: str
    image_id: int | None
    path: str | None
    user: str | None
    created_at: datetime
    batch: UUID | None
    audit: UUID | None
    undoes: int | None
    upload: UUID | None
    is_undone: bool
    counts: bool


def list_history(session: Session, image_id: int, cursor: str | None, limit: int) -> Page[HistoryRow]:
    """The labels of an image's content, newest first.

    Raises:
        NotFound: There is no such image, or it was deleted.
    """
    sha256 = digests_of(session, {image_id})[image_id]
    undo = aliased(Label)
    query = (
        select(Label, Image.path, User.name, LabelBatch.uuid, Audit.uuid, Upload.uuid, undo.id)
        .outerjoin(Image, Image.id == Label.image_id)
        .outerjoin(User, User.id == Label.user_id)
        .outerjoin(LabelBatch, LabelBatch.id == Label.batch_id)
        .outerjoin(Audit, Audit.id == Label.audit_id)
        .outerjoin(Upload, Upload.id == Label.upload_id)
        .outerjoin(undo, undo.undoes_id == Label.id)
        .where(Label.sha256 == sha256)
    )
    if cursor:
        query = query.where(Label.id < decode_cursor(cursor, int)[0])
    rows = session.execute(query.order_by(Label.id.desc()).limit(limit + 1)).all()
    counting = _counting(session, sha256)
    items = [
        HistoryRow(
            id=label.id,
            label=label.label,
            source=label.source,
            image_id=label.image_id,
            path=path,
            user=user,
            created_at=label.created_at,
            batch=batch,
            audit=audit,
            undoes=label.undoes_id,
            upload=upload,
            is_undone=undone_by is not None,
            counts=label.id == counting,
        )
        for label, path, user, batch, audit, upload, undone_by in rows[:limit]
    ]
    return Page(items, encode_cursor(items[-1].id) if len(rows) > limit else None)


def _counting(session: Session, sha256: bytes) -> int | None:
    """The label that counts: the topmost of people's that stand, else the newest of a folder that stands."""
    standing = find_valid_labels(session, [sha256])[sha256]
    if standing and standing[-1].label is not None:
        return standing[-1].id
    of_folders = (
        (Label.sha256 == sha256) & (Label.source == LabelSource.FOLDER) & Label.label.is_not(None) & stands(Label)
    )
    return session.scalar(select(Label.id).where(of_folders).order_by(Label.id.desc()).limit(1))
