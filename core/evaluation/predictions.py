"""Predictions of versions for the test split, with the labels of its contents.

A version and a content never change, so a prediction only does when decoding does (core/evaluation/decoding_change.py):
another evaluation otherwise only adds the newest labels. Nothing here is ever trained on.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, tuple_
from sqlalchemy.orm import Session

from core.base.database import change, insert_or, slices
from core.base.errors import Invalid, OutdatedCursor
from core.base.manifest import Metrics
from core.base.network_catalog import CLASSES
from core.base.paging import Page, decode_cursor, encode_cursor
from core.decoding.decoded import DECODING
from core.jobs.confidence import MILLION, to_millionths
from core.labels.labels import NEITHER
from core.models.accuracy import LabelledPrediction, measure
from core.orm.evaluation import Prediction
from core.orm.models import ModelVersion
from core.orm.uploads import Image, Upload
from core.training import datasets, splits
from core.training.splits import Split

SORTS = {"doubt": Prediction.confidence, "error": Prediction.p_label}


@dataclass(frozen=True, slots=True)
class NewPrediction:
    """A version's prediction for a content with a label; probabilities are those of the classes."""

    sha256: bytes
    label: str
    probabilities: Sequence[float]


@dataclass(frozen=True)
class PredictionFilter:
    """A filter of a list: the label (`true`) and the predicted class (`predicted`); and its order.

    `doubt` starts with the least confident ones, `error` with those whose label has the smallest probability.
    """

    true: str | None = None
    predicted: str | None = None
    sort: str = "doubt"


@dataclass(frozen=True)
class PredictionRow:
    """One prediction as it is shown, with an image that has the content; None when no upload has it any more."""

    image_id: int | None
    path: str | None
    sha256: bytes
    label: str
    predicted: str
    confidence: float
    probabilities: list[float]


@dataclass(frozen=True)
class FirstImage:
    """An image that has a content."""

    image_id: int
    path: str


def choose_contents(session: Session) -> list[datasets.Content]:
    """Everything labelled in the test split, each content once; its split is stored for good."""
    labelled = datasets.find_labelled(session).contents
    by_part = splits.find_splits(session, [content.sha256 for content in labelled])
    chosen = [content for content in labelled if by_part[content.sha256] == Split.TEST]
    splits.assign_splits(session, [content.sha256 for content in chosen])
    return chosen


def record(
    session: Session, version_id: int, job_id: int, predicted: Iterable[NewPrediction], is_everything: bool = False
) -> None:
    """Write predictions of a version; earlier ones for the same contents are replaced.

    Args:
        job_id: The job that asked it.
        is_everything: Delete its predictions for all other contents.
    """
    if is_everything:
        change(session, delete(Prediction).where(Prediction.version_id == version_id))
    rows = [{"version_id": version_id, "job_id": job_id} | _row(one) for one in predicted]
    insert = insert_or(session, Prediction)
    changed = ("job_id", "label", "class_index", "confidence", "p_label", "probabilities", "decoding")
    replaced = insert.on_conflict_do_update(
        index_elements=["version_id", "sha256"], set_={name: insert.excluded[name] for name in changed}
    )
    if rows:
        session.execute(replaced, sorted(rows, key=lambda row: bytes(row["sha256"])))


def _row(one: NewPrediction) -> dict[str, Any]:
    millionths = to_millionths(one.probabilities)
    confidence = max(millionths)
    rest = MILLION - sum(millionths)
    return {
        "sha256": one.sha256,
        "label": one.label,
        "class_index": millionths.index(confidence),
        "confidence": confidence,
        "p_label": millionths[CLASSES.index(one.label)] if one.label in CLASSES else rest,
        "probabilities": [value / MILLION for value in millionths],
        "decoding": DECODING,
    }


def measure_version(session: Session, version: ModelVersion) -> Metrics:
    """The metrics of a version on all pictures that it was evaluated on, at its own threshold."""
    rows = session.execute(
        select(Prediction.label, Prediction.probabilities).where(Prediction.version_id == version.id)
    ).all()
    return measure(
        (LabelledPrediction(label, probabilities) for label, probabilities in rows),
        float(version.manifest["threshold"]),
    )


def find_job(session: Session, version_id: int) -> int | None:
    """The newest job that asked a version."""
    return session.scalar(select(func.max(Prediction.job_id)).where(Prediction.version_id == version_id))


def list_predictions(
    session: Session, version_id: int, selection: PredictionFilter, cursor: str | None, limit: int
) -> Page[PredictionRow]:
    """One page of what a version says.

    Raises:
        Invalid: A filter has a value that does not exist.
    """
    by = _order(selection.sort)
    query = select(Prediction).where(Prediction.version_id == version_id, *_conditions(selection))
    if cursor:
        value, content = decode_cursor(cursor, int, str)
        query = query.where(tuple_(by, Prediction.sha256) > (value, from_hex(content)))
    rows = session.scalars(query.order_by(by, Prediction.sha256).limit(limit + 1)).all()
    images = find_images(session, [row.sha256 for row in rows[:limit]])
    following = None
    if len(rows) > limit:
        last = rows[limit - 1]
        following = encode_cursor(last.p_label if by is Prediction.p_label else last.confidence, last.sha256.hex())
    return Page([_show(row, images) for row in rows[:limit]], following)


def from_hex(text: str) -> bytes:
    """A content's hash from a cursor.

    Raises:
        OutdatedCursor: It is none.
    """
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise OutdatedCursor(
            "This cursor is out of date or of another list. Use `next` of the page before, or leave it out."
        ) from error


def _order(sort: str) -> Any:
    if sort not in SORTS:
        raise Invalid(f"sort: expected one of {', '.join(SORTS)}; got {sort!r}.")
    return SORTS[sort]


def _conditions(selection: PredictionFilter) -> Iterator[ColumnElement[bool]]:
    if selection.true is not None:
        if selection.true not in (*CLASSES, NEITHER):
            raise Invalid(f"true: expected one of {', '.join((*CLASSES, NEITHER))}; got {selection.true!r}.")
        yield Prediction.label == selection.true
    if selection.predicted is not None:
        if selection.predicted not in CLASSES:
            raise Invalid(f"called: expected one of {', '.join(CLASSES)}; got {selection.predicted!r}.")
        yield Prediction.class_index == CLASSES.index(selection.predicted)


def find_images(session: Session, contents: Collection[bytes]) -> dict[bytes, FirstImage]:
    """For each content the first image that has it, in an upload that is not deleted."""
    images = dict[bytes, FirstImage]()
    for some in slices(contents):
        first = (
            select(func.min(Image.id))
            .join(Upload, Upload.id == Image.upload_id)
            .where(Image.sha256.in_(some), Upload.deleted_at.is_(None))
            .group_by(Image.sha256)
        )
        rows = session.execute(select(Image.sha256, Image.id, Image.path).where(Image.id.in_(first)))
        images |= {row.sha256: FirstImage(row.id, row.path) for row in rows}
    return images


def _show(row: Prediction, images: dict[bytes, FirstImage]) -> PredictionRow:
    image = images.get(row.sha256)
    return PredictionRow(
        image_id=image.image_id if image else None,
        path=image.path if image else None,
        sha256=row.sha256,
        label=row.label,
        predicted=CLASSES[row.class_index],
        confidence=row.confidence / MILLION,
        probabilities=row.probabilities,
    )
