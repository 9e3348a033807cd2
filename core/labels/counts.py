"""How many contents have new labels that stand, since a label or a training: what makes a training worth while."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session, aliased

from core.base.states import JobKind
from core.labels.undo import stands
from core.orm.jobs import Job
from core.orm.labels import Label
from core.orm.uploads import Image, Upload


def newest_label(session: Session) -> int:
    """The number of the newest label; 0 before there is any."""
    return session.scalar(select(func.max(Label.id))) or 0


def count_new(session: Session, after: int, uploads: Sequence[str | UUID] | None = None) -> int:
    """How many contents have a label that was given after another one, and still stands.

    Args:
        after: The number of that other label.
        uploads: Count only contents of these uploads.
    """
    return session.scalars(select(_count_from(after + 1, uploads))).one()


def count_since_training(session: Session, version_id: int | None) -> int:
    """How many contents were labelled since a version was trained; all of them for one that came with Pawsort.

    0 without a version.
    """
    return 0 if version_id is None else count_since_each(session, [version_id])[version_id]


def count_since_each(session: Session, version_ids: Collection[int]) -> dict[int, int]:
    """The same for several versions, by their numbers, in three statements for all of them."""
    trained = (Job.kind == JobKind.TRAIN) & Job.model_version_id.in_(version_ids)
    began = select(Job.model_version_id, func.min(Job.started_at)).where(trained).group_by(Job.model_version_id)
    began_at = {row[0]: row[1] for row in session.execute(began) if row[1]}  # also of deleted jobs: their rows stay
    firsts = _find_firsts(session, set(began_at.values()))
    first_of = {one: firsts[began_at[one]] if one in began_at else 0 for one in version_ids}
    wanted = sorted({first for first in first_of.values() if first is not None})
    counts = session.execute(select(*(_count_from(first) for first in wanted))).one() if wanted else ()
    n_from = dict(zip(wanted, counts, strict=True))
    return {one: 0 if first is None else n_from[first] for one, first in first_of.items()}


def _find_firsts(session: Session, moments: Collection[datetime]) -> dict[datetime, int | None]:
    """The number of the first label that was given after each of the moments."""
    firsts = [func.min(case((Label.created_at > moment, Label.id))) for moment in moments]
    return dict(zip(moments, session.execute(select(*firsts)).one(), strict=True)) if firsts else {}


def _count_from(first: int, uploads: Sequence[str | UUID] | None = None) -> ColumnElement[int]:
    """How many contents have a label of this number or a later one that stands.

    Nearly all do, so the index of contents answers alone; only contents with something undone or withdrawn are asked
    about one by one.
    """
    is_new = Label.id >= first
    if uploads is not None:
        of_uploads = select(Image.sha256).join(Upload, Upload.id == Image.upload_id)
        is_new &= Label.sha256.in_(of_uploads.where(Upload.uuid.in_([UUID(str(one)) for one in uploads])))
    contents = select(func.count(Label.sha256.distinct())).where(is_new).scalar_subquery()
    takes_back = Label.label.is_(None) | Label.undoes_id.is_not(None)
    doubtful = select(Label.sha256).where(is_new, takes_back).distinct().subquery()
    given = aliased(Label)
    is_left = (given.sha256 == doubtful.c.sha256) & (given.id >= first) & given.label.is_not(None) & stands(given)
    without = select(func.count()).select_from(doubtful).where(~select(given.id).where(is_left).exists())
    return contents - without.scalar_subquery()
