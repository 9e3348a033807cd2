"""Two versions compared on the pictures that both have predictions for, under the same label."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, not_, or_, select
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
class PairCounts:
    """Pictures of the classes that two versions were evaluated on under the same label, by who was right."""

    both_right: int = 0
    only_first: int = 0
    only_second: int = 0
    both_wrong: int = 0

    @property
    def n_images(self) -> int:
        """All of them."""
        return self.both_right + self.only_first + self.only_second + self.both_wrong

    @property
    def first_accuracy(self) -> float:
        """The share that the first version is right on; there must be at least one picture."""
        return (self.both_right + self.only_first) / self.n_images

    @property
    def second_accuracy(self) -> float:
        """The share that the second version is right on; there must be at least one picture."""
        return (self.both_right + self.only_second) / self.n_images

    @property
    def p_value(self) -> float:
        """McNemar's test, two-sided."""
        return mcnemar(self.only_first, self.only_second)


@dataclass(frozen=True, kw_only=True)
class Comparison(PairCounts):
    """Two versions on the same pictures.

    Attributes:
        first, second: Metrics of both, each at its own threshold.
        n_left_out: Pictures that both were evaluated on, but whose label changed in between.
        n_differ: Pictures with different predictions.
    """

    first: Metrics
    second: Metrics
    n_left_out: int
    n_differ: int


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
    return Comparison(
        first=measure((a for a, _ in pairs), float(first.manifest["threshold"])),
        second=measure((b for _, b in pairs), float(second.manifest["threshold"])),
        n_left_out=_count_relabelled(session, first.id, second.id),
        n_differ=sum(a.predicted != b.predicted for a, b in pairs),
        both_right=right.count((True, True)),
        only_first=right.count((True, False)),
        only_second=right.count((False, True)),
        both_wrong=right.count((False, False)),
    )


def count_pairs(session: Session, first_id: int, second_ids: Collection[int]) -> dict[int, PairCounts]:
    """Compare one version with each of several, on the pictures that it shares with each; in one statement.

    Returns:
        Counts by the second version; without those that share no picture with the first.
    """
    first, second = _is_right(First), _is_right(Second)
    query = (
        select(
            Second.version_id,
            *(
                func.sum(case((outcome, 1), else_=0))
                for outcome in (
                    and_(first, second),
                    and_(first, not_(second)),
                    and_(not_(first), second),
                    and_(not_(first), not_(second)),
                )
            ),
        )
        .join(First, First.sha256 == Second.sha256)
        .where(First.version_id == first_id, Second.version_id.in_(second_ids))
        .where(First.label == Second.label, First.label.in_(CLASSES))
        .group_by(Second.version_id)
    )
    return {version: PairCounts(*counts) for version, *counts in session.execute(query)}


def read_common_labels(session: Session, first_id: int, second_id: int) -> dict[bytes, str]:
    """The labels of the pictures that `count_pairs` counts for two versions."""
    condition = (First.label == Second.label) & First.label.in_(CLASSES)
    rows = session.execute(_common(first_id, second_id, condition).with_only_columns(First.sha256, First.label))
    return {row.sha256: row.label for row in rows}


def _is_right(prediction: type[Prediction]) -> ColumnElement[bool]:
    """Whether the likelier class is the label."""
    of_class = ((prediction.label == name) & (prediction.class_index == index) for index, name in enumerate(CLASSES))
    return or_(*of_class)


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
