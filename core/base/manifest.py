"""The manifest of a model version, as JSON keeps it: `model.artifacts.manifest` explains and checks the fields.

Manifests of format 1 lack some of the fields, and are never rewritten.
"""

from typing import Any, NotRequired, TypedDict


class ClassMetrics(TypedDict):
    """Precision and recall of one class, 0 to 1."""

    precision: float
    recall: float


class Metrics(TypedDict):
    """Metrics of one set of images: the fields of `model.arrays.metrics.Metrics`.

    Without images of the classes there is only `n_images`, 0. With images of neither class there are also `n_neither`,
    and `neither_unsure`, the share of them that is unsure.
    """

    n_images: int
    accuracy: NotRequired[float]
    accuracy_low: NotRequired[float]
    accuracy_high: NotRequired[float]
    log_loss: NotRequired[float]
    roc_auc: NotRequired[float]
    calibration_error: NotRequired[float]
    confusion: NotRequired[list[list[int]]]
    by_class: NotRequired[dict[str, ClassMetrics]]
    threshold: NotRequired[float]
    wrong: NotRequired[float]
    unsure: NotRequired[float]
    coverage: NotRequired[dict[str, list[float]] | None]
    n_neither: NotRequired[int]
    neither_unsure: NotRequired[float]


class Speed(TypedDict):
    """How fast a version classified the test split when it was made."""

    images_per_s: float
    n_images: int
    device: str
    threads: int


class Bounds(TypedDict):
    """What the threshold keeps on the validation split, as shares."""

    max_wrong: float
    max_unsure: float
    max_taken: float


class Cascade(TypedDict):
    """From which confidence a light version answers itself, and the SHA-256 of the version that answers otherwise."""

    teacher: str
    limit: float


class Manifest(TypedDict):
    """What is known of a trained network. `metrics` are by split, where `judging` is the test split."""

    format: int
    network: str
    side_px: int
    classes: list[str]
    threshold: float
    calibration: dict[str, float]
    digest: str
    n_weights: int
    metrics: dict[str, Metrics]
    data: dict[str, Any]
    split: dict[str, Any]
    parameters: dict[str, Any]
    seed: int
    created_at: str
    command: str
    bounds: NotRequired[Bounds | None]
    n_bytes: NotRequired[int | None]
    who: NotRequired[str | None]
    code_version: NotRequired[str | None]
    speed: NotRequired[Speed | None]
    decoding: NotRequired[int]
    half_precision: NotRequired[bool]
    cascade: NotRequired[Cascade]


def metrics_of(manifest: Manifest, split: str) -> Metrics:
    """The metrics of one split; only `n_images`, 0, where none were recorded."""
    return manifest.get("metrics", {}).get(split) or {"n_images": 0}
