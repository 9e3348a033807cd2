"""How many new labels have come in since some label: what makes a training worth while."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.orm import Image, Job, JobKind, Label, ModelVersion, Upload


def newest_label(session: Session) -> int:
    """The number of the newest label; 0 before there is any."""
    return session.scalar(select(func.max(Label.id))) or 0


def count_new(session: Session, after: int, uploads: Sequence[str | UUID] | None = None) -> int:
    """How many contents were labelled after a label.

    Args:
        after: The number of that label.
        uploads: Count only contents of these uploads.
    """
    new = select(func.count(Label.sha256.distinct())).where(Label.id > after, Label.label.is_not(None))
    if uploads is not None:
        of_uploads = select(Image.sha256).join(Upload, Upload.id == Image.upload_id)
        new = new.where(Label.sha256.in_(of_uploads.where(Upload.uuid.in_([UUID(str(one)) for one in uploads]))))
    return session.scalars(new).one()


def count_since_training(session: Session, version: ModelVersion) -> int:
    """How many contents were labelled since a version was trained; all of them for one that came with Pawsort."""
    trained = select(Job.started_at).where(Job.kind == JobKind.TRAIN, Job.model_version_id == version.id)
    began_at = session.scalar(trained.order_by(Job.id).limit(1))  # also of a deleted job: its emptied row stays
    new = select(func.count(Label.sha256.distinct())).where(Label.label.is_not(None))
    if began_at is not None:
        new = new.where(Label.created_at > began_at)
    return session.scalars(new).one()
