"""Uploads that people can choose a training's pictures from, and those that a training learned from. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from core.accounts.rights import Actor, Right
from core.base.paging import Page, page_newest_first
from core.base.states import UploadState
from core.labels.undo import stands
from core.orm.jobs import Job
from core.orm.labels import Label, PendingLabel
from core.orm.training import TrainingUpload
from core.orm.uploads import Image, Upload


@dataclass(frozen=True, slots=True)
class LabelledUpload:
    """A complete upload, with how many of its files have a content that a folder or a person named.

    Labels that wait for a training count as well.
    """

    uuid: UUID
    name: str
    created_at: datetime
    n_images: int
    n_labelled: int


def list_labelled(session: Session, actor: Actor, cursor: str | None = None, limit: int = 100) -> Page[LabelledUpload]:
    """Complete uploads that came with labels, or with pictures labelled by a person; newest first.

    Other people's uploads whose labels wait for a training are left out: the actor may not train on them.
    """
    query = select(Upload).where(_is_there(), Upload.labelled | Upload.id.in_(_corrected()))
    if not actor.may(Right.OTHERS):
        waits = select(PendingLabel.id).where(PendingLabel.upload_id == Upload.id).exists()
        query = query.where((Upload.user_id == actor.user_id) | ~waits)
    page = page_newest_first(session, query, Upload.id, cursor, limit)
    return Page(_view(session, page.items), page.next)


def find_uploads(session: Session, uuids: Sequence[UUID]) -> list[LabelledUpload]:
    """Those of the named uploads that are complete and still there, newest first."""
    query = select(Upload).where(_is_there(), Upload.uuid.in_(uuids)).order_by(Upload.id.desc())
    return _view(session, list(session.scalars(query)))


def list_trained_on(session: Session, job: Job) -> list[Upload]:
    """The uploads that a training was given, deleted ones too; none when it learns from everything labelled."""
    query = select(Upload).join(TrainingUpload, TrainingUpload.upload_id == Upload.id)
    return list(session.scalars(query.where(TrainingUpload.job_id == job.id).order_by(Upload.id)))


def _is_there() -> ColumnElement[bool]:
    return (Upload.state == UploadState.COMPLETE) & Upload.deleted_at.is_(None)


def _corrected() -> ColumnElement[int]:
    """Uploads with a picture that has a label by a person; folders' labels have no image."""
    labelled = select(Image.upload_id).join(Label, Label.image_id == Image.id)
    return labelled.where(Label.label.is_not(None), stands(Label)).scalar_subquery()


def _view(session: Session, uploads: Sequence[Upload]) -> list[LabelledUpload]:
    named = select(Label.id).where(Label.sha256 == Image.sha256, Label.label.is_not(None), stands(Label)).exists()
    of_folder = (PendingLabel.sha256 == Image.sha256) & (PendingLabel.upload_id == Image.upload_id)
    waits = select(PendingLabel.id).where(of_folder).exists()
    counted = select(Image.upload_id, func.count()).where(
        Image.upload_id.in_([one.id for one in uploads]), named | waits
    )
    n_labelled = dict(session.execute(counted.group_by(Image.upload_id)).all()) if uploads else {}
    return [
        LabelledUpload(one.uuid, one.name, one.created_at, one.n_images, n_labelled.get(one.id, 0)) for one in uploads
    ]
