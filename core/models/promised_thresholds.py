"""The threshold that keeps a promise, such as "at most 1 % of the labels are wrong", by the validation split.

    curve in the manifest ─► lowest threshold at which the 95 % interval of the error ends below what is promised

So a version that was validated on few pictures promises little, and one without a curve nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import exp, lgamma, log, log1p

from core.base.errors import Invalid
from core.base.manifest import metrics_of
from core.orm.models import ModelVersion

LEVEL = 0.95
VALIDATION = "validation"  # the split
OFFERED = (0.005, 0.01, 0.02, 0.05)
_HALVINGS = 50


@dataclass(frozen=True, slots=True)
class PromisedThreshold:
    """A threshold, and what the validation split says of the labels given from it on.

    Attributes:
        max_error: What is promised, as a share of the labels.
        n_images: Pictures of the validation split.
        n_labelled: Those that get a label.
        n_wrong: Those that get a wrong one.
        error_low: Of the exact interval of the error (Clopper and Pearson), at the level `LEVEL`.
    """

    max_error: float
    threshold: float
    n_images: int
    n_labelled: int
    n_wrong: int
    error_low: float
    error_high: float

    @property
    def coverage(self) -> float:
        """The share of pictures that get a label."""
        return self.n_labelled / self.n_images

    @property
    def error(self) -> float:
        """The share of wrong ones among the labels."""
        return self.n_wrong / self.n_labelled


def promise(version: ModelVersion, max_error: float) -> PromisedThreshold:
    """The lowest threshold at which at most this share of a version's labels is wrong.

    Raises:
        Invalid: No threshold keeps the promise; the text says what can be promised.
    """
    found = find_promised(version, max_error)
    if found is None:
        raise Invalid(_why_not(version, max_error))
    return found


def find_promised(version: ModelVersion, max_error: float) -> PromisedThreshold | None:
    """As `promise`; None where no threshold keeps it."""
    for threshold, n_labelled, n_wrong in _curve(version):
        # The interval ends below `max_error` where so few wrong labels would be rare if that were the error.
        if _at_most(n_wrong, n_labelled, max_error) <= (1 - LEVEL) / 2:
            low, high = clopper_pearson(n_wrong, n_labelled)
            return PromisedThreshold(max_error, threshold, _n_images(version), n_labelled, n_wrong, low, high)
    return None


def list_promised(version: ModelVersion) -> list[PromisedThreshold]:
    """The thresholds for the usual promises, strictest first, without those that cannot be kept and repetitions."""
    found = [one for max_error in OFFERED if (one := find_promised(version, max_error))]
    return [
        one
        for one, before in zip(found, [None, *found], strict=False)
        if not before or before.threshold != one.threshold
    ]


def clopper_pearson(n_wrong: int, n: int) -> tuple[float, float]:
    """The exact 95 % interval of a share.

    Source: Clopper and Pearson 1934, "The use of confidence or fiducial limits illustrated in the case of the
    binomial", Biometrika 26, 404-413.
    """
    tail = (1 - LEVEL) / 2
    low = 0.0 if n_wrong == 0 else _solve(n_wrong - 1, n, 1 - tail)
    high = 1.0 if n_wrong == n else _solve(n_wrong, n, tail)
    return low, high


def _solve(k: int, n: int, probability: float) -> float:
    """The error at which at most `k` wrong ones of `n` have this probability; it falls as the error grows."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(k, n, middle) > probability else (low, middle)
    return (low + high) / 2


def _at_most(k: int, n: int, p: float) -> float:
    """The probability of at most `k` wrong ones of `n` at the error `p`: the binomial distribution."""
    if k >= n:
        return 1.0
    term = exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(p) + (n - k) * log1p(-p))
    total = term
    for i in range(k, 0, -1):
        term *= i / (n - i + 1) * (1 - p) / p
        total += term
    return total


def _n_images(version: ModelVersion) -> int:
    return metrics_of(version.manifest, VALIDATION)["n_images"]


def _curve(version: ModelVersion) -> Iterator[tuple[float, int, int]]:
    """Each threshold, with how many pictures get a label, and a wrong one; those without any label are left out."""
    curve, n = metrics_of(version.manifest, VALIDATION).get("coverage"), _n_images(version)
    if not curve:
        return
    for threshold, labelled, wrong in zip(curve["threshold"], curve["labelled"], curve["wrong"], strict=True):
        if n_labelled := round(labelled * n):
            yield threshold, n_labelled, round(wrong * n)


def _why_not(version: ModelVersion, max_error: float) -> str:
    refused = f"Version {version.id} cannot promise that at most {100 * max_error:g} % of its labels are wrong"
    ends = [(clopper_pearson(n_wrong, n)[1], threshold) for threshold, n, n_wrong in _curve(version)]
    if not ends:
        return f"{refused}: its errors on the validation split were not recorded. Use another version."
    least, threshold = min(ends)
    return (
        f"{refused}: {_n_images(version):,} validation pictures show at best at most {100 * least:.2f} %, at the"
        f" threshold {threshold:g}. Ask for no less than that, or train a version with more labelled pictures."
    )
