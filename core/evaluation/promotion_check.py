"""What is known about a version before it replaces the one in use: both on the same pictures, in one sentence.

A person may promote any version. Where it is worse, or was compared on few pictures, pages and commands ask first and
say this. Schedules do not ask: they have their gate (core/evaluation/promotion_gate.py).
"""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from core.evaluation import unbiased_labels, version_comparison
from core.evaluation.promotion_gate import MIN_PICTURES
from core.evaluation.version_comparison import PairCounts
from core.models import registry
from core.orm.models import ModelVersion

MAX_P = 0.05  # above it, a difference may be chance


@dataclass(frozen=True)
class PromotionCheck:
    """A version next to the one in use.

    Attributes:
        version: The number of the version that may be promoted.
        in_use: The number of the version in use; None if it is the same, or if there is none.
        counts: Both on the pictures that both were evaluated on; the one in use is the first.
        n_unbiased: How many of these pictures have labels that were given without sight of a prediction.
    """

    version: int
    in_use: int | None
    counts: PairCounts
    n_unbiased: int

    @property
    def is_better(self) -> bool:
        """Whether it is right more often on enough pictures, and chance is an unlikely explanation."""
        is_clear = self.counts.only_second > self.counts.only_first and self.counts.p_value < MAX_P
        return self.in_use is not None and is_clear and not self._has_few

    @property
    def is_worse(self) -> bool:
        """Whether it is right less often than the one in use."""
        return self.counts.only_second < self.counts.only_first

    @property
    def summary(self) -> str:
        """Both on the same pictures, in a sentence; empty if no other version is in use."""
        if self.in_use is None:
            return ""
        both = f"Version {self.version} and version {self.in_use}, in use,"
        n = self.counts.n_images
        if not n:
            return f"{both} were not evaluated on the same pictures, so it is unknown which is better."
        candidate, in_use = self.counts.second_accuracy, self.counts.first_accuracy
        where = f"the {n:,} test pictures that both were evaluated on" if n > 1 else "the only test picture of both"
        if candidate == in_use:
            return f"{both} are each right on {candidate:.1%} of {where}.".replace("%", " %")
        sentence = (
            f"Version {self.version} is right on {candidate:.1%} of {where}; version {self.in_use}, in use, on"
            f" {in_use:.1%}."
        )
        return sentence.replace("%", " %")

    @property
    def warning(self) -> str | None:
        """Why to think twice before promoting it; None if nothing speaks against it."""
        if self.in_use is None:
            return None
        if not self.counts.n_images:
            return self.summary
        reasons = ["It is worse on these pictures."] if self.is_worse else []
        if self._has_few:
            reasons.append(self._few_words)
        return " ".join([self.summary, *reasons]) if reasons else None

    @property
    def _has_few(self) -> bool:
        return self.n_unbiased < MIN_PICTURES

    @property
    def _few_words(self) -> str:
        if self.n_unbiased < self.counts.n_images:
            unbiased = f"{self.n_unbiased:,}" if self.n_unbiased else "None"
            return (
                f"{unbiased} of these pictures were labelled without sight of a prediction; at least {MIN_PICTURES} are"
                " needed to tell which version is better."
            )
        return f"At least {MIN_PICTURES} pictures are needed to tell which version is better."


def check_promotion(session: Session, version: ModelVersion) -> PromotionCheck:
    """Compare a version with the one in use."""
    in_use = registry.find_in_use(session)
    if in_use is None or in_use == version.id:
        return PromotionCheck(version.id, None, PairCounts(), 0)
    labels = version_comparison.read_common_labels(session, in_use, version.id)
    counts = version_comparison.count_pairs(session, in_use, [version.id]).get(version.id, PairCounts())
    return PromotionCheck(version.id, in_use, counts, len(unbiased_labels.find_unbiased(session, labels)))
