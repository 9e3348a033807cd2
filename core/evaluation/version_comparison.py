"""Two versions compared on the pictures that both have predictions for, under the same label."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session, aliased

from core.base.manifest import Metrics
from core.base.network_catalog import CLASSES
from core.base.paging import Page, decode_cursor, encode_cursor
from core.evaluation.predictions import FirstImage, find_images, from_hex
from core.models.accuracy import LabelledPrediction, mcnemar, measure
from core.orm.evaluation import Prediction
from core.orm.models import ModelVersion

First, Second = aliased(Prediction), aliased(Prediction)


@dataclass(frozen=True)
class Comparison:
    """Two versions on the same pictures.

    Attributes:
        first, second: Metrics of both, each at its own threshold.
        n_images: Pictures of the classes that both were evaluated on under the same label.
        n_left_out: Pictures that both were evaluated on, but whose label changed in between.
        n_differ: Pictures with different predictions.
        both_right, only_first, only_second, both_wrong: How many pictures each of them got right.
        p_value: McNemar's test, two-sided.
    """

    first: Metrics
    second: Metrics
    n_images: int
    n_left_out: int
    n_differ: int
    both_right: int
    only_first: int
    only_second: int
    both_wrong: int
    p_value: float


@dataclass(frozen=True)
class Difference:
    """A picture with different predictions of two versions; `image_id` None when no upload has it any more."""

    image_id: int | None
    path: str | None
    label: str
    first: LabelledPrediction
    second: LabelledPrediction


def compare(session: Session, first: ModelVersion, second: ModelVersion) -> Comparison:
    """Compare two versions."""
    rows = session.execute(_common(first.id, second.id, First.label == Second.label)).all()
    pairs = [(LabelledPrediction(row.label, row.first), LabelledPrediction(row.label, row.second)) for row in rows]
    right = [(a.is_right, b.is_right) for a, b in pairs if a.label in CLASSES]
    only_first, only_second = right.count((True, False)), right.count((False, True))
    return Comparison(
        first=measure((a for a, _ in pairs), float(first.manifest["threshold"])),
        second=measure((b for _, b in pairs), float(second.manifest["threshold"])),
        n_images=len(right),
        n_left_out=_count_relabelled(session, first.id, second.id),
        n_differ=sum(a.predicted != b.predicted for a, b in pairs),
        both_right=right.count((True, True)),
        only_first=only_first,
        only_second=only_second,
        both_wrong=right.count((False, False)),
        p_value=mcnemar(only_first, only_second),
    )


def list_differences(
    session: Session, first_id: int, second_id: int, cursor: str | None, limit: int
) -> Page[Difference]:
    """One page of the pictures that two versions call differently, in an order that never changes.

    Raises:
        Invalid: The cursor is of another list.
    """
    differing = (First.label == Second.label) & (First.class_index != Second.class_index)
    query = _common(first_id, second_id, differing)
    if cursor:
        query = query.where(First.sha256 > from_hex(decode_cursor(cursor, str)[0]))
    rows = session.execute(query.order_by(First.sha256).limit(limit + 1)).all()
    images = find_images(session, [row.sha256 for row in rows[:limit]])
    items = [_show(row, images.get(row.sha256)) for row in rows[:limit]]
    return Page(items, encode_cursor(rows[limit - 1].sha256.hex()) if len(rows) > limit else None)


def _show(row: Any, image: FirstImage | None) -> Difference:
    return Difference(
        image_id=image.image_id if image else None,
        path=image.path if image else None,
        label=row.label,
        first=LabelledPrediction(row.label, row.first),
        second=LabelledPrediction(row.label, row.second),
    )


def _common(first_id: int, second_id: int, condition: ColumnElement[bool]) -> Select[Any]:
    columns = (First.sha256, First.label, First.probabilities.label("first"), Second.probabilities.label("second"))
    return (
        select(*columns)
        .join(Second, Second.sha256 == First.sha256)
        .where(First.version_id == first_id, Second.version_id == second_id, condition)
    )


def _count_relabelled(session: Session, first_id: int, second_id: int) -> int:
    return session.scalars(
        _common(first_id, second_id, First.label != Second.label).with_only_columns(func.count())
    ).one()
