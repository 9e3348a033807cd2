"""How many new labels have come in since some label: what makes a training worth while."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.orm import Image, Label, Upload


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
