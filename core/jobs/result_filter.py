"""Filters and orders of a job's results, as SQL."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

from sqlalchemy import ColumnElement, UnaryExpression, case, func, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from core.base.database import without_index
from core.base.errors import ImageWarning, Invalid
from core.base.network_catalog import CLASSES
from core.jobs.confidence import MILLION, UNSURE
from core.labels.labels import person_label_of
from core.orm.results import Result
from core.orm.uploads import Image

SORTS = ("order", "path", "confidence", "-confidence", "alike")
SAID = ("nothing", "something", "otherwise")
PROBABLE = "probable"
Number = ColumnElement[int] | InstrumentedAttribute[int | None]
_ROUNDING = 0.5 / MILLION  # sums of stored probabilities differ from whole millionths by less


@dataclass(frozen=True)
class ResultFilter:
    """A filter of a list of results, and its order (`SORTS`; `order` is the order of the upload).

    Attributes:
        path: Text that the path contains, ignoring case.
        folder: A folder: its files and those of its subfolders; exactly as uploaded.
        warning: Only results with this warning.
        neither: `PROBABLE`: only unsure pictures that give more than half of the probability to none of the classes.
        said: One of `SAID`: whether a person has labelled the picture, and differently from the model.
    """

    label: str | None = None
    error_code: str | None = None
    failed: bool | None = None
    warning: ImageWarning | None = None
    min_confidence: float | None = None
    max_confidence: float | None = None
    path: str | None = None
    folder: str | None = None
    said: str | None = None
    neither: str | None = None
    sort: str = "order"


ALL_RESULTS = ResultFilter()


def conditions(wanted: ResultFilter, threshold_milli: int, *, walks: bool = False) -> Iterator[ColumnElement[bool]]:
    """SQL for what a filter lets through, on `Image` and `Result`.

    Args:
        walks: Go through the results in their order instead of looking up labels in an index, since many match.
    Raises:
        Invalid: A filter has a value that does not exist.
    """
    confidence: Number = without_index(Result.confidence) if walks else Result.confidence
    class_index: Number = without_index(Result.class_index) if walks else Result.class_index
    sure = confidence >= threshold_milli * 1000
    if wanted.label is not None:
        yield _label_is(wanted.label, sure, class_index)
    if wanted.neither is not None:
        if wanted.neither != PROBABLE:
            raise Invalid(f"neither: expected {PROBABLE}; got {wanted.neither!r}.")
        yield is_probably_neither(threshold_milli, confidence)
    if wanted.error_code is not None:
        yield Result.error_code == wanted.error_code
    if wanted.failed is not None or wanted.error_code is not None:
        # Failed files have no confidence: an index of its own would hold all results to find a few.
        yield Result.confidence.is_(None) if wanted.failed or wanted.error_code else Result.confidence.is_not(None)
    if wanted.warning is not None:
        yield Result.warning == wanted.warning
    if wanted.min_confidence is not None:
        yield Result.confidence >= round(wanted.min_confidence * MILLION)
    if wanted.max_confidence is not None:
        yield Result.confidence <= round(wanted.max_confidence * MILLION)
    if wanted.path is not None:
        yield Image.path.icontains(wanted.path, autoescape=True)
    if wanted.folder is not None:  # not LIKE, which takes upper and lower case alike on SQLite
        below = f"{wanted.folder}/"
        yield func.substr(Image.path, 1, len(below)) == below
    if wanted.said is not None:
        yield _has_person_label(wanted.said, sure)


def is_probably_neither(threshold_milli: int, confidence: Number = Result.confidence) -> ColumnElement[bool]:
    """SQL for: unsure, with more than half of the probability for none of the classes."""
    # Half is implied by the sum, which no index has.
    return (confidence < min(threshold_milli * 1000, MILLION // 2)) & gives_neither()


def gives_neither() -> ColumnElement[bool]:
    """SQL for: more than half of the probability for none of the classes, as `confidence.is_neither`."""
    shares: list[ColumnElement[float]] = [Result.probabilities[index].as_float() for index in range(len(CLASSES))]
    return reduce(add, shares) < 0.5 - _ROUNDING


def _has_person_label(said: str, sure: ColumnElement[bool]) -> ColumnElement[bool]:
    word = person_label_of(Image)
    match said:
        case "nothing":
            return word.is_(None)
        case "something":
            return word.is_not(None)
        case "otherwise":
            called = case(dict(enumerate(CLASSES)), value=Result.class_index)
            return sure & word.is_not(None) & (word != called)
    raise Invalid(f"said: expected one of {', '.join(SAID)}; got {said!r}.")


def _label_is(label: str, sure: ColumnElement[bool], class_index: Number) -> ColumnElement[bool]:
    if label == UNSURE:
        return Result.error_code.is_(None) & ~sure
    if label not in CLASSES:
        raise Invalid(f"label: expected one of {', '.join((*CLASSES, UNSURE))}; got {label!r}.")
    return (class_index == CLASSES.index(label)) & sure


@dataclass(frozen=True)
class Order:
    """An order of results: its columns, the types of their values in a cursor, its direction, what it leaves out."""

    columns: tuple[InstrumentedAttribute[Any], ...]
    types: tuple[type, ...]
    downwards: bool = False
    conditions: tuple[ColumnElement[bool], ...] = ()

    @property
    def is_of_images(self) -> bool:
        """Whether it is an order of the images, whatever their results are."""
        return self.columns[0].class_ is Image

    @property
    def by(self) -> list[UnaryExpression[Any] | InstrumentedAttribute[Any]]:
        """For ORDER BY."""
        return [column.desc() if self.downwards else column for column in self.columns]

    def after(self, key: Sequence[Any], backwards: bool = False) -> ColumnElement[bool]:
        """What comes after a key, or with `backwards` before it."""
        # One column by itself: SQLite finds no index for a row value of one.
        columns, value = (tuple_(*self.columns), tuple(key)) if len(self.columns) > 1 else (self.columns[0], key[0])
        return columns < value if self.downwards != backwards else columns > value


def order_of(sort: str) -> Order:
    """An order by its name.

    Raises:
        Invalid: There is no such order.
    """
    match sort:
        case "order":
            return Order((Image.ordinal,), (int,))
        case "path":
            return Order((Image.path_start, Image.ordinal), (str, int))
        case "confidence" | "-confidence":  # failed files have none and are excluded
            known = (Result.confidence.is_not(None),)
            return Order((Result.confidence, Result.image_id), (int, int), sort.startswith("-"), known)
        case "alike":
            return Order(
                (Result.similarity_key, Result.image_id), (int, int), conditions=(Result.confidence.is_not(None),)
            )
    raise Invalid(f"sort: expected one of {', '.join(SORTS)}; got {sort!r}.")
