"""Versions that have judged labelled pictures, as a training worker would leave them."""

from collections.abc import Callable

from core.base.database import Database
from core.evaluation import evaluation_jobs, predictions
from core.evaluation.predictions import NewPrediction
from core.storage.blobs import Blobs
from core.training import claims
from tests.support.actors import as_owner
from tests.support.factories import draw_picture, make_upload

Probabilities = tuple[float, float]


def make_judged(db: Database, blobs: Blobs, *, n_each: int = 60) -> dict[bytes, str]:
    """A labelled upload; the contents of its judging part, with their labels."""
    files = {
        f"pets/{kind}s/{n}.jpg": draw_picture(n + 1000 * (kind == "dog"), (16, 16))
        for kind in ("cat", "dog")
        for n in range(n_each)
    }
    make_upload(db, blobs, files=files, labelled=True, name="pets")
    with db.write() as session:
        return {content.sha256: content.label for content in predictions.choose_contents(session)}


def judge(db: Database, version: int, said: dict[bytes, str], say: Callable[[int, str], Probabilities]) -> None:
    """Let a version judge: `say` gets the number of the content, by hash, and its label."""
    with db.write() as session:
        job = evaluation_jobs.create_evaluation_job(session, as_owner(session), version)
        claim = claims.claim_training(session, job.id, None, 60)
    assert claim is not None
    rows = [NewPrediction(sha256, said[sha256], say(n, said[sha256])) for n, sha256 in enumerate(sorted(said))]
    with db.write() as session:
        evaluation_jobs.finish_evaluation(session, claim, version, rows)


def right(n: int, label: str) -> Probabilities:
    """Always right, and sure."""
    return (0.97, 0.02) if label == "cat" else (0.02, 0.97)


def wrong_at_first(n: int, label: str) -> Probabilities:
    """Wrong on the first three."""
    return right(n, {"cat": "dog", "dog": "cat"}[label] if n < 3 else label)
