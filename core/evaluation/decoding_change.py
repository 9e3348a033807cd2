"""What other decoding rules change in the predictions of a version: written down when it is evaluated again.

predictions with an older number ─┐
predictions with today's number ──┴─► how many labels differ, and whether more of them are right ─► its evaluation
"""

from collections.abc import Collection, Sequence
from typing import TypedDict

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.base.states import JobKind
from core.decoding.decoded import DECODING
from core.models.accuracy import LabelledPrediction, mcnemar
from core.orm.evaluation import Prediction
from core.orm.jobs import Job
from core.orm.models import ModelVersion
from core.orm.training import Training


class DecodingChange(TypedDict):
    """Predictions for the same pictures before and after.

    Attributes:
        before: Number of the decoding rules of the earlier predictions.
        now: Number of the decoding rules of the later ones.
        n_images: Pictures that have both.
        n_differ: Those of them whose label differs, unsure included.
        n_right_before: Pictures that only the earlier prediction gets right.
        n_right_now: Pictures that only the later one gets right.
        p_value: McNemar's test of the two.
    """

    before: int
    now: int
    n_images: int
    n_differ: int
    n_right_before: int
    n_right_now: int
    p_value: float


def find_number(session: Session, version_id: int) -> int | None:
    """The oldest number of the decoding rules among a version's predictions; None if it has none."""
    return session.scalar(select(func.min(Prediction.decoding)).where(Prediction.version_id == version_id))


def find_outdated(session: Session, version_ids: Collection[int]) -> set[int]:
    """Those of the versions that have predictions of older decoding rules."""
    older = select(Prediction.version_id).where(Prediction.version_id.in_(version_ids), Prediction.decoding < DECODING)
    return set(session.scalars(older.distinct()))


def find_change(session: Session, version_id: int) -> DecodingChange | None:
    """What the newest evaluation of a version found that compared two numbers."""
    of_version = (Job.model_version_id == version_id) & (Job.kind == JobKind.EVALUATE) & Job.deleted_at.is_(None)
    newest = (
        select(Training.decoding_change)
        .join(Job, Job.id == Training.job_id)
        .where(of_version, Training.decoding_change.is_not(None))
        .order_by(Job.id.desc())
        .limit(1)
    )
    change: DecodingChange | None = session.scalar(newest)
    return change


def compare(
    session: Session, version: ModelVersion, predicted: Sequence[tuple[bytes, LabelledPrediction]]
) -> DecodingChange | None:
    """Compare new predictions of a version with its stored ones; None unless those are of an older number."""
    number = find_number(session, version.id)
    if number is None or number >= DECODING:
        return None
    query = select(Prediction.sha256, Prediction.label, Prediction.probabilities)
    rows = session.execute(query.where(Prediction.version_id == version.id, Prediction.decoding < DECODING))
    earlier = {row.sha256: LabelledPrediction(row.label, row.probabilities) for row in rows}
    pairs = [(earlier[sha256], later) for sha256, later in predicted if sha256 in earlier]
    threshold = float(version.manifest["threshold"])
    labels = [(_shown(before, threshold), _shown(later, threshold), later.label) for before, later in pairs]
    n_before = sum(before == label != now for before, now, label in labels)
    n_now = sum(now == label != before for before, now, label in labels)
    return DecodingChange(
        before=number,
        now=DECODING,
        n_images=len(labels),
        n_differ=sum(before != now for before, now, _ in labels),
        n_right_before=n_before,
        n_right_now=n_now,
        p_value=mcnemar(n_before, n_now),
    )


def _shown(prediction: LabelledPrediction, threshold: float) -> str:
    return prediction.predicted if prediction.confidence >= threshold else "unsure"
