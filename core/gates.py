"""The gate: whether a candidate is better than the version in use, on the same pictures, by a stated margin.

honest labels of the judging part ─► what both versions say of them ─► better by enough │ not │ too few to tell
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from core.figures import Said, mcnemar
from core.networks import CLASSES
from core.orm import Judgement

MIN_JUDGING = 200  # with fewer, a difference of some points is chance


@dataclass(frozen=True, slots=True)
class Gate:
    """What is asked of a candidate.

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
    """What the gate says.

    Attributes:
        is_better: Whether the candidate passes.
        is_too_few: Whether there were too few pictures to tell.
        sentence: Why, in words.
        figures: What was counted, for pages and programs.
    """

    is_better: bool
    is_too_few: bool
    sentence: str
    figures: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pair:
    """A picture of which both versions said something, and what people say."""

    in_use: Said
    candidate: Said


def too_few(n: int) -> Verdict:
    """The verdict when so many pictures are not enough."""
    sentence = (
        f"too few to tell: {n} {'picture' if n == 1 else 'pictures'} of the judging part may judge (labelled by a"
        f" folder or in an audit sample, not by a correction), and {MIN_JUDGING} are needed"
    )
    return Verdict(False, True, sentence, {"n_images": n, "n_needed": MIN_JUDGING})


def read_pairs(session: Session, in_use: int, candidate: int, honest: Mapping[bytes, str]) -> list[Pair]:
    """What both versions say of the pictures that may judge; pictures of which either said nothing are left out."""
    first, second = aliased(Judgement), aliased(Judgement)
    both = (
        select(first.sha256, first.probabilities, second.probabilities)
        .join(second, second.sha256 == first.sha256)
        .where(first.version_id == in_use, second.version_id == candidate)
    )
    rows = session.execute(both).all()
    return [
        Pair(Said(honest[sha256], said), Said(honest[sha256], other))
        for sha256, said, other in rows
        if sha256 in honest
    ]


def has_judged_all(session: Session, version: int, honest: Mapping[bytes, str]) -> bool:
    """Whether a version said something of every picture that may judge."""
    asked = session.scalars(select(Judgement.sha256).where(Judgement.version_id == version))
    return honest.keys() <= set(asked)


def decide(gate: Gate, pairs: Sequence[Pair], n_may_judge: int) -> Verdict:
    """Weigh a candidate against the version in use.

    Args:
        n_may_judge: How many pictures there are that may judge; of some of them a version may have said nothing.
    """
    if len(pairs) < MIN_JUDGING:
        verdict = too_few(n_may_judge)
        if n_may_judge < MIN_JUDGING:
            return verdict
        sentence = (
            f"too few to tell: both versions were asked about {len(pairs)} of the {n_may_judge} pictures that may"
            f" judge, and {MIN_JUDGING} are needed; a job that judges has failed or was stopped, or pictures cannot be"
            " read"
        )
        return Verdict(False, True, sentence, {"n_images": len(pairs), "n_needed": MIN_JUDGING})
    figures = _measure(pairs)
    wrong = list(_reasons(gate, figures))
    shares = (
        f"right on {_percent(figures['candidate'])} of {len(pairs)} pictures instead of {_percent(figures['in_use'])}"
        f" (p = {figures['p_value']:.2g})"
    )
    if wrong:
        return Verdict(False, False, f"{shares}; {'; '.join(wrong)}", figures)
    return Verdict(True, False, shares, figures)


def _reasons(gate: Gate, figures: Mapping[str, Any]) -> Iterable[str]:
    """What is missing, in words; nothing when the candidate passes."""
    gain = figures["candidate"] - figures["in_use"]
    if gain <= 0 or gain < gate.min_gain - 1e-9:
        asked = f"at least {_points(gate.min_gain)} more" if gate.min_gain else "more"
        yield f"{asked} were asked for"
    if figures["p_value"] >= gate.max_p:
        yield f"McNemar's test must say p < {gate.max_p:g}, or the difference may be chance"
    for name, share in figures["by_class"].items():
        loss = share["in_use"] - share["candidate"]
        if loss > gate.max_class_loss + 1e-9:
            allowed = _points(gate.max_class_loss)
            yield f"on pictures of the class {name} it is worse by {_points(loss)}, and {allowed} were allowed"


def _measure(pairs: Sequence[Pair]) -> dict[str, Any]:
    right = [(pair.in_use.is_right, pair.candidate.is_right) for pair in pairs]
    only_in_use, only_candidate = right.count((True, False)), right.count((False, True))
    by_class = {name: [one for one in pairs if one.in_use.label == name] for name in CLASSES}
    return {
        "n_images": len(pairs),
        "in_use": _share(one for one, _ in right),
        "candidate": _share(one for _, one in right),
        "only_in_use": only_in_use,
        "only_candidate": only_candidate,
        "p_value": mcnemar(only_in_use, only_candidate),
        "by_class": {
            name: {
                "n_images": len(some),
                "in_use": _share(one.in_use.is_right for one in some),
                "candidate": _share(one.candidate.is_right for one in some),
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
