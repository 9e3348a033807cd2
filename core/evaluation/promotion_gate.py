"""The gate: whether a candidate is better than the version in use, on the same pictures, by a stated margin.

unbiased labels of the test split ─► predictions of both versions ─► better by enough │ not │ too few to tell
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from core.base.network_catalog import CLASSES
from core.decoding.decoded import DECODING
from core.labels.labels import NEITHER
from core.models.accuracy import LabelledPrediction, mcnemar
from core.orm.evaluation import Prediction
from core.orm.models import ModelVersion

MIN_PICTURES = 200  # with fewer, a difference of some points is chance
MIN_NEITHER = 50  # pictures of neither class: with fewer, they are not asked about


@dataclass(frozen=True, slots=True)
class Gate:
    """The conditions for a candidate.

    Attributes:
        min_gain: By how much more pictures it must be right on, as a share.
        max_p: McNemar's test must call the difference less probable than this.
        max_class_loss: By how much it may be right less often on any one class, as a share.
    """

    min_gain: float
    max_p: float
    max_class_loss: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision of the gate.

    Attributes:
        is_better: Whether the candidate passes.
        is_too_few: Whether there were too few pictures to decide.
        sentence: Why, in words.
        figures: What was counted, for pages and programs.
    """

    is_better: bool
    is_too_few: bool
    sentence: str
    figures: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PredictionPair:
    """A picture with predictions of both versions, and whether each was right.

    On a picture of neither class a version is right that leaves it unsure, at its own threshold.
    """

    label: str
    in_use: bool
    candidate: bool


def count_of_classes(labels: Mapping[bytes, str]) -> int:
    """How many of the pictures with unbiased labels belong to a class."""
    return sum(label in CLASSES for label in labels.values())


def too_few(n: int) -> Verdict:
    """The verdict when there are not enough pictures."""
    sentence = (
        f"too few to tell: {n} {'picture' if n == 1 else 'pictures'} of the test split have unbiased labels"
        f" (from a folder, an audit, or a job confirmed as a whole), and {MIN_PICTURES} are needed"
    )
    return Verdict(False, True, sentence, {"n_images": n, "n_needed": MIN_PICTURES})


def read_pairs(
    session: Session, in_use: ModelVersion, candidate: ModelVersion, labels: Mapping[bytes, str]
) -> list[PredictionPair]:
    """Both versions' predictions for pictures with unbiased labels; pictures without both are left out."""
    first, second = aliased(Prediction), aliased(Prediction)
    both = (
        select(first.sha256, first.probabilities, second.probabilities)
        .join(second, second.sha256 == first.sha256)
        .where(first.version_id == in_use.id, second.version_id == candidate.id)
    )
    rows = session.execute(both).all()
    return [
        PredictionPair(
            labels[sha256],
            _is_right(LabelledPrediction(labels[sha256], probabilities), in_use),
            _is_right(LabelledPrediction(labels[sha256], other), candidate),
        )
        for sha256, probabilities, other in rows
        if sha256 in labels
    ]


def _is_right(prediction: LabelledPrediction, version: ModelVersion) -> bool:
    if prediction.label in CLASSES:
        return prediction.is_right
    return prediction.confidence < float(version.manifest["threshold"])


def has_all_predictions(session: Session, version: int, labels: Mapping[bytes, str]) -> bool:
    """Whether a version has predictions for all pictures with an unbiased label, of pixels as they are decoded now."""
    of_version = (Prediction.version_id == version) & (Prediction.decoding == DECODING)
    asked = session.scalars(select(Prediction.sha256).where(of_version))
    return labels.keys() <= set(asked)


def decide(gate: Gate, pairs: Sequence[PredictionPair], n_unbiased: int) -> Verdict:
    """Weigh a candidate against the version in use.

    Args:
        n_unbiased: How many pictures of the classes have unbiased labels; a prediction may be missing for some.
    """
    of_classes = [pair for pair in pairs if pair.label in CLASSES]
    if len(of_classes) < MIN_PICTURES:
        return too_few(n_unbiased) if n_unbiased < MIN_PICTURES else _too_few_asked(len(of_classes), n_unbiased)
    figures = _measure(of_classes, [pair for pair in pairs if pair.label not in CLASSES])
    wrong = list(_reasons(gate, figures))
    shares = (
        f"right on {_percent(figures['candidate'])} of {len(of_classes)} pictures instead of"
        f" {_percent(figures['in_use'])} (p = {figures['p_value']:.2g})"
    )
    if wrong:
        return Verdict(False, False, f"{shares}; {'; '.join(wrong)}", figures)
    return Verdict(True, False, shares, figures)


def _too_few_asked(n: int, n_unbiased: int) -> Verdict:
    sentence = (
        f"too few to tell: both versions have predictions for {n} of the {n_unbiased} pictures with unbiased labels,"
        f" and {MIN_PICTURES} are needed; an evaluation failed or was cancelled, or pictures cannot be read"
    )
    return Verdict(False, True, sentence, {"n_images": n, "n_needed": MIN_PICTURES})


def _reasons(gate: Gate, figures: Mapping[str, Any]) -> Iterable[str]:
    """What is missing, in words; nothing when the candidate passes."""
    gain = figures["candidate"] - figures["in_use"]
    if gain <= 0 or gain < gate.min_gain - 1e-9:
        asked = f"at least {_points(gate.min_gain)} more" if gate.min_gain else "more"
        yield f"{asked} were asked for"
    if figures["p_value"] >= gate.max_p:
        yield f"McNemar's test must give p < {gate.max_p:g}; above it, the difference may be chance"
    for name, share in figures["by_class"].items():
        loss = share["in_use"] - share["candidate"]
        if loss > gate.max_class_loss + 1e-9:
            allowed = _points(gate.max_class_loss)
            which = name if name == NEITHER else f"the class {name}"
            yield f"on pictures of {which} it is worse by {_points(loss)}, and {allowed} were allowed"


def _measure(of_classes: Sequence[PredictionPair], others: Sequence[PredictionPair]) -> dict[str, Any]:
    right = [(pair.in_use, pair.candidate) for pair in of_classes]
    only_in_use, only_candidate = right.count((True, False)), right.count((False, True))
    by_class = {name: [pair for pair in of_classes if pair.label == name] for name in CLASSES}
    if len(others) >= MIN_NEITHER:
        by_class[NEITHER] = list(others)
    return {
        "n_images": len(of_classes),
        "in_use": _share(one for one, _ in right),
        "candidate": _share(one for _, one in right),
        "only_in_use": only_in_use,
        "only_candidate": only_candidate,
        "p_value": mcnemar(only_in_use, only_candidate),
        "by_class": {
            name: {
                "n_images": len(some),
                "in_use": _share(pair.in_use for pair in some),
                "candidate": _share(pair.candidate for pair in some),
            }
            for name, some in by_class.items()
            if some
        },
    }


def _share(outcomes: Iterable[bool]) -> float:
    known = list(outcomes)
    return sum(known) / len(known)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _points(share: float) -> str:
    return f"{100 * share:.1f} points"
