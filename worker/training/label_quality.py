"""A study at work: features of everything labelled, heads by cross-validation, findings.

contents ─► features ─► heads on shares of them ─► suspects, curve ─► doubtful pictures unlike each other ─► row
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
    Curve,
    Point,
    choose_unlike,
    cross_validate,
    fit_curve,
    rank_suspects,
    share_unlike,
)
from worker.process.runtime import Runtime
from worker.training.features import see
from worker.training.lease import Watch
from worker.training.near_duplicates import group_unlabelled

log = structlog.get_logger()
MAX_SUSPECTS = 1000
MORE = 100  # labels
CANDIDATES = 500
COMPARED_OF_JOB = 300
COMPARED_WITH = 2000


def study(runtime: Runtime, claim: Claim, watch: Watch) -> None:
    """Do a claimed study.

    Raises:
        Invalid: Too few pictures are left that can be read.
        BadWeights: The version cannot be used.
        LeaseLost, TrainingStopped: There is no reason to go on.
    """
    with runtime.db.read() as session:
        version = registry.get_version(session, claims.find_version(session, claim))
        contents = label_quality.choose_contents(session)
    seen = see(runtime, claim, version, contents, watch)
    there = [content for content, is_known in zip(contents, seen.is_known, strict=True) if is_known]
    labels = np.array([CLASSES.index(content.label) for content in there], np.int64)
    if min(np.bincount(labels, minlength=len(CLASSES))) < label_quality.MIN_EACH:
        raise Invalid(
            f"Of the labelled pictures only {len(there)} can be read, too few to say anything. Label some more."
        )
    said = cross_validate(
        seen.rows[seen.is_known], labels, on_fit=lambda step, n_steps: watch.say("studying", step, n_steps)
    )
    suspects = [_suspect(there[row], float(said.p_second[row])) for row in rank_suspects(said.p_second, labels)]
    group_unlabelled(runtime, [content.sha256 for content in contents])
    wanted = _choose_wanted(runtime, seen.body)
    unlike = _compare_jobs(runtime, seen.body, seen.rows[seen.is_known])
    with runtime.db.write() as session:
        label_quality.finish(
            session,
            claim,
            version.id,
            len(there),
            describe_curve(said.points, len(there)) | {"unlike": unlike},
            suspects[:MAX_SUSPECTS],
            wanted,
        )
    log.info("labels_studied", job_id=claim.job_id, n_labels=len(there), n_suspects=len(suspects))


def _suspect(content: Content, p_second: float) -> dict[str, Any]:
    is_second = content.label == CLASSES[1]
    return {
        "image_id": content.image_id,
        "label": content.label,
        "suggested": CLASSES[0] if is_second else CLASSES[1],
        "p_label": round(p_second if is_second else 1 - p_second, 6),
    }


def describe_curve(points: list[Point], n_labels: int) -> dict[str, Any]:
    """The curve as it is kept: measured points, the formula, and what it says of now and of more labels."""
    curve: Curve = fit_curve(points)
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


def _choose_wanted(runtime: Runtime, body: str) -> list[int]:
    """Images that would teach most: doubtful ones, unlike each other; features that are missing are not computed."""
    with runtime.db.read() as session:
        doubtful = label_quality.find_uncertain(session)[:CANDIDATES]
    known = features.find(runtime.db, runtime.blobs, body, [one.sha256 for one in doubtful])
    described = [one for one in doubtful if one.sha256 in known]
    if not described:
        return [one.image_id for one in doubtful[:MORE]]
    chosen = choose_unlike(np.stack([known[one.sha256] for one in described]), MORE)
    return [described[row].image_id for row in sorted(chosen)]


def _compare_jobs(runtime: Runtime, body: str, labelled: NDArray[np.float16]) -> dict[str, float]:
    """How unlike the labelled pictures those of the newest jobs are, by the job's number, where features are kept."""
    with runtime.db.read() as session:
        some = label_quality.list_some_contents(session, COMPARED_OF_JOB)
    random = np.random.default_rng(1)
    known = labelled[random.permutation(len(labelled))[:COMPARED_WITH]]
    shares = {}
    for job_id, contents in some.items():
        rows = list(features.find(runtime.db, runtime.blobs, body, contents).values())
        if rows:
            shares[str(job_id)] = share_unlike(np.stack(rows), known)
    return shares
