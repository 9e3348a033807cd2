"""Metrics of a version from its predictions and labels, in plain Python, since the web has no access to `model`.

`model/arrays/metrics.py` uses the same formulas on arrays when a version is made; a test compares the two.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, comb, erfc, log, sqrt

from core.base.manifest import ClassMetrics, Metrics
from core.base.network_catalog import CLASSES

Z_95 = 1.959963984540054  # the normal distribution's 97.5 % point
SMALLEST = 1e-7  # probabilities below count as this
N_BINS = 15
LARGEST_EXACT = 1000  # of McNemar's test; beyond it the error of the approximation is negligible


@dataclass(frozen=True, slots=True)
class LabelledPrediction:
    """A version's prediction for one picture, with its label: a class or `neither`."""

    label: str
    probabilities: Sequence[float]

    @property
    def predicted(self) -> str:
        """The class with the larger probability."""
        return CLASSES[max(range(len(CLASSES)), key=lambda index: self.probabilities[index])]

    @property
    def confidence(self) -> float:
        """The larger probability."""
        return max(self.probabilities)

    @property
    def is_right(self) -> bool:
        """Whether the likelier class is the label."""
        return self.predicted == self.label


def measure(predictions: Iterable[LabelledPrediction], threshold: float) -> Metrics:
    """All metrics that a manifest has for a split, of pictures with a prediction.

    Args:
        threshold: Confidence from which a picture is labelled.
    Returns:
        All but `coverage`.
    """
    everything = list(predictions)
    of_classes = [one for one in everything if one.label in CLASSES]
    others = [one for one in everything if one.label not in CLASSES]
    metrics = _measure_classes(of_classes, threshold)
    if others:
        metrics["n_neither"] = len(others)
        metrics["neither_unsure"] = _share(one.confidence < threshold for one in others)
    return metrics


def _measure_classes(predictions: Sequence[LabelledPrediction], threshold: float) -> Metrics:
    n = len(predictions)
    if n == 0:
        return {"n_images": 0}
    n_right = sum(one.is_right for one in predictions)
    low, high = wilson_interval(n_right, n)
    counts = Counter((one.label, one.predicted) for one in predictions)
    labelled = [one for one in predictions if one.confidence >= threshold]
    return {
        "n_images": n,
        "accuracy": n_right / n,
        "accuracy_low": low,
        "accuracy_high": high,
        "log_loss": -sum(log(max(one.probabilities[CLASSES.index(one.label)], SMALLEST)) for one in predictions) / n,
        "roc_auc": roc_auc([(one.probabilities[-1], one.label == CLASSES[-1]) for one in predictions]),
        "calibration_error": calibration_error(predictions),
        "confusion": [[counts[true, predicted] for predicted in CLASSES] for true in CLASSES],
        "by_class": {name: _by_class(counts, name) for name in CLASSES},
        "threshold": threshold,
        "wrong": sum(not one.is_right for one in labelled) / n,
        "unsure": (n - len(labelled)) / n,
    }


def _by_class(counts: Counter[tuple[str, str]], name: str) -> ClassMetrics:
    n_predicted = sum(counts[true, name] for true in CLASSES)
    n_true = sum(counts[name, predicted] for predicted in CLASSES)
    n_right = counts[name, name]
    return {
        "precision": n_right / n_predicted if n_predicted else 0.0,
        "recall": n_right / n_true if n_true else 0.0,
    }


def _share(outcomes: Iterable[bool]) -> float:
    known = list(outcomes)
    return sum(known) / len(known) if known else 0.0


def wilson_interval(n_right: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share.

    Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference", JASA 22, 209-212.
    """
    share, z2 = n_right / n, Z_95**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_95 / (1 + z2 / n) * sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def roc_auc(scored: Sequence[tuple[float, bool]]) -> float:
    """How often a positive scores higher than a negative, ties counting half; 0.5 when one kind is missing.

    Args:
        scored: Score, and whether it is a positive.
    Source: Hanley and McNeil 1982, "The meaning and use of the area under a ROC curve", Radiology 143, 29-36.
    """
    n_positive = sum(positive for _, positive in scored)
    n_negative = len(scored) - n_positive
    if not n_positive or not n_negative:
        return 0.5
    totals, positives = Counter(score for score, _ in scored), Counter(score for score, positive in scored if positive)
    below, pairs = 0, 0.0
    for score in sorted(totals):
        negatives = totals[score] - positives[score]
        pairs += positives[score] * (below + negatives / 2)
        below += negatives
    return pairs / (n_positive * n_negative)


def calibration_error(predictions: Sequence[LabelledPrediction]) -> float:
    """How far confidence and accuracy are apart, over 15 equally wide bins of confidence, weighted by their sizes.

    Source: Naeini et al. 2015, "Obtaining well calibrated probabilities using Bayesian binning", AAAI; 15 bins as in
    Guo et al. 2017, arXiv:1706.04599.
    """
    gaps = [0.0] * N_BINS
    for one in predictions:
        gaps[min(max(ceil(one.confidence * N_BINS) - 1, 0), N_BINS - 1)] += one.is_right - one.confidence
    return sum(map(abs, gaps)) / len(predictions)


def mcnemar(n_only_first: int, n_only_second: int) -> float:
    """How probable a difference at least this large would be if both versions were equally good: McNemar's test.

    Args:
        n_only_first: Pictures that only the first version gets right.
        n_only_second: Pictures that only the second one gets right.
    Returns:
        The two-sided p-value: exact, from the binomial distribution, up to 1,000 such pictures; beyond, from
        chi-squared with one degree of freedom and Edwards' correction.
    Source: McNemar 1947, "Note on the sampling error of the difference between correlated proportions or percentages",
    Psychometrika 12, 153-157; Edwards 1948, "Note on the correction for continuity ...", Psychometrika 13, 185-187.
    """
    n, fewer = n_only_first + n_only_second, min(n_only_first, n_only_second)
    if n == 0:
        return 1.0
    if n <= LARGEST_EXACT:
        return min(1.0, sum(comb(n, k) for k in range(fewer + 1)) / float(2 ** (n - 1)))
    chi_squared: float = max(0, abs(n_only_first - n_only_second) - 1) ** 2 / n
    return erfc(sqrt(chi_squared / 2))
