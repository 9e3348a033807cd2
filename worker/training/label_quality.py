"""A job that checks label quality: features of everything labelled, heads by cross-validation, findings.

    contents ─► features ─► heads on shares of them ─► suspects, curve ─► diverse doubtful images ─► row

In rows this job is called a `study`.
"""

from dataclasses import asdict
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray

from core.base.errors import Invalid
from core.base.network_catalog import CLASSES
from core.evaluation import label_quality
from core.models import registry
from core.training import claims, features
from core.training.claims import Claim
from core.training.datasets import Content
from model.evaluation.label_quality import (
    CurvePoint,
    LearningCurve,
    choose_diverse,
    cross_validate,
    fit_curve,
    rank_suspects,
    share_unfamiliar,
)
from worker.process.runtime import Runtime
from worker.training.near_duplicates import group_unlabelled
from worker.training.stored_features import read_features
from worker.training.training_lease import TrainingLease

log = structlog.get_logger()
MAX_SUSPECTS = 1000
MORE = 100  # labels
CANDIDATES = 500
COMPARED_OF_JOB = 300
COMPARED_WITH = 2000


def check_label_quality(runtime: Runtime, claim: Claim, lease: TrainingLease) -> None:
    """Do a claimed check of the label quality.

    Raises:
        Invalid: Too few images can be read.
        BadWeights: The version cannot be used.
        LeaseLost, TrainingStopped: There is no reason to continue.
    """
    with runtime.db.read() as session:
        version = registry.get_version(session, claims.find_version(session, claim))
        contents = label_quality.choose_contents(session)
    features_of_all = read_features(runtime, claim, version, contents, lease)
    rows = features_of_all.rows[features_of_all.is_known]
    readable = [content for content, is_known in zip(contents, features_of_all.is_known, strict=True) if is_known]
    labels = np.array([CLASSES.index(content.label) for content in readable], np.int64)
    if min(np.bincount(labels, minlength=len(CLASSES))) < label_quality.MIN_EACH:
        raise Invalid(
            f"Only {len(readable)} of the labelled pictures can be read, which is too few. Label more pictures."
        )
    validation = cross_validate(rows, labels, on_fit=lambda step, n_steps: lease.report("studying", step, n_steps))
    p_second = validation.p_second
    suspects = [_describe_suspect(readable[row], float(p_second[row])) for row in rank_suspects(p_second, labels)]
    group_unlabelled(runtime, [content.sha256 for content in contents])
    to_label = _choose_to_label(runtime, features_of_all.body)
    unfamiliar = _compare_jobs(runtime, features_of_all.body, rows)
    with runtime.db.write() as session:
        label_quality.finish(
            session,
            claim,
            version.id,
            len(readable),
            describe_curve(validation.points, len(readable)) | {"unlike": unfamiliar},
            suspects[:MAX_SUSPECTS],
            to_label,
        )
    log.info("labels_studied", job_id=claim.job_id, n_labels=len(readable), n_suspects=len(suspects))


def _describe_suspect(content: Content, p_second: float) -> dict[str, Any]:
    is_second = content.label == CLASSES[1]
    return {
        "image_id": content.image_id,
        "label": content.label,
        "suggested": CLASSES[0] if is_second else CLASSES[1],
        "p_label": round(p_second if is_second else 1 - p_second, 6),
    }


def describe_curve(points: list[CurvePoint], n_labels: int) -> dict[str, Any]:
    """The learning curve as it is stored: measured points, the formula, and accuracies now and with more labels."""
    curve: LearningCurve = fit_curve(points)
    now = curve.accuracy(n_labels)
    return {
        "points": [asdict(point) for point in points],
        "formula": asdict(curve),
        "now": now,
        "more": MORE,
        "with_more": curve.accuracy(n_labels + MORE),
        "with_twice": curve.accuracy(2 * n_labels),
        "half_width": 1.96 * float(np.sqrt(max(now * (1 - now), 1e-9) / n_labels)),
    }


def _choose_to_label(runtime: Runtime, body: str) -> list[int]:
    """The images whose labels would help most: doubtful and diverse ones. Missing features are not computed."""
    with runtime.db.read() as session:
        doubtful = label_quality.find_uncertain(session)[:CANDIDATES]
    known = features.find(runtime.db, runtime.blobs, body, [image.sha256 for image in doubtful])
    with_features = [image for image in doubtful if image.sha256 in known]
    if not with_features:
        return [image.image_id for image in doubtful[:MORE]]
    chosen = choose_diverse(np.stack([known[image.sha256] for image in with_features]), MORE)
    return [with_features[row].image_id for row in sorted(chosen)]


def _compare_jobs(runtime: Runtime, body: str, labelled: NDArray[np.float16]) -> dict[str, float]:
    """The share of unfamiliar images in each of the newest jobs, by the job's number, as far as features are stored.

    Args:
        runtime: Of this process.
        body: SHA-256 of the body that computed the features.
        labelled: float16 (N, F), features of the labelled images.
    """
    with runtime.db.read() as session:
        contents_of_jobs = label_quality.list_some_contents(session, COMPARED_OF_JOB)
    random = np.random.default_rng(1)
    known = labelled[random.permutation(len(labelled))[:COMPARED_WITH]]
    shares = {}
    for job_id, contents in contents_of_jobs.items():
        rows = list(features.find(runtime.db, runtime.blobs, body, contents).values())
        if rows:
            shares[str(job_id)] = share_unfamiliar(np.stack(rows), known)
    return shares
