"""How many new labels have come in since some label: what makes a training worth while."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, case, exists, func, select
from sqlalchemy.orm import Session, aliased

from core.base.states import JobKind
from core.labels.undo import is_undone, stands
from core.orm.jobs import Job
from core.orm.labels import Label
from core.orm.uploads import Image, Upload


def newest_label(session: Session) -> int:
    """The number of the newest label; 0 before there is any."""
    return session.scalar(select(func.max(Label.id))) or 0


def count_new(session: Session, after: int, uploads: Sequence[str | UUID] | None = None) -> int:
    """How many contents were labelled after a label.

    Args:
        after: The number of that label.
        uploads: Count only contents of these uploads.
    """
    new = select(func.count(Label.sha256.distinct())).where(Label.id > after, Label.label.is_not(None), stands(Label))
    if uploads is not None:
        of_uploads = select(Image.sha256).join(Upload, Upload.id == Image.upload_id)
        new = new.where(Label.sha256.in_(of_uploads.where(Upload.uuid.in_([UUID(str(one)) for one in uploads]))))
    return session.scalars(new).one()


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


def _count_from(first: int) -> ColumnElement[int]:
    """How many contents have a label of this number or a later one.

    Where nearly all labels count, the index of contents answers alone; contents with undone labels only are subtracted.
    """
    later, newer = aliased(Label), Label.id >= first
    contents = select(Label.sha256).where(newer).distinct().subquery()
    is_undo = Label.undoes_id.is_not(None)  # a NULL that undoes nothing withdraws all labels before it
    says_more = (later.id > Label.id) | (is_undo & later.label.is_not(None) & ~is_undone(later))
    more = exists().where(later.sha256 == Label.sha256, later.id >= first, says_more)
    taken_back = select(func.count()).select_from(Label).where(newer, Label.label.is_(None), ~more)
    return select(func.count()).select_from(contents).scalar_subquery() - taken_back.scalar_subquery()
