"""Predictions of an older number of the decoding rules, evaluated again."""

import pytest
from sqlalchemy import update

from core.base.database import Database
from core.decoding.decoded import DECODING
from core.evaluation import decoding_change, evaluation_jobs, promotion_gate
from core.evaluation.predictions import NewPrediction
from core.orm.evaluation import Prediction
from core.storage.blobs import Blobs
from core.training import claims
from tests.support.actors import as_owner
from tests.support.factories import make_labelled

CAT, DOG, UNSURE = (0.99, 0.01), (0.01, 0.99), (0.5, 0.5)


@pytest.fixture(autouse=True)
def upload(db: Database, blobs: Blobs) -> None:
    make_labelled(db, blobs, n_each=60)


def evaluate(db: Database, version: int, answers: list[tuple[float, float]]) -> None:
    """An evaluation on pictures of cats, with these answers."""
    rows = [NewPrediction(bytes([n]) * 32, "cat", answer) for n, answer in enumerate(answers)]
    with db.write() as session:
        job_id = evaluation_jobs.create_evaluation_job(session, as_owner(session), version).id
        claim = claims.claim_training(session, job_id, None, 60)
        assert claim is not None
        evaluation_jobs.finish_evaluation(session, claim, version, rows)


def make_older(db: Database) -> None:
    with db.write() as session:
        session.execute(update(Prediction).values(decoding=DECODING - 1))


def test_what_changed_is_written_down_with_the_evaluation(db: Database, version: int) -> None:
    evaluate(db, version, [CAT, CAT, DOG, UNSURE])
    make_older(db)
    evaluate(db, version, [CAT, UNSURE, CAT, CAT])
    with db.read() as session:
        change = decoding_change.find_change(session, version)
        assert decoding_change.find_number(session, version) == DECODING
    assert change == {
        "before": DECODING - 1,
        "now": DECODING,
        "n_images": 4,
        "n_differ": 3,
        "n_right_before": 1,
        "n_right_now": 2,
        "p_value": 1.0,
    }


def test_an_evaluation_by_the_same_rules_writes_nothing_down_and_keeps_what_was(db: Database, version: int) -> None:
    evaluate(db, version, [CAT])
    evaluate(db, version, [DOG])
    with db.read() as session:
        assert decoding_change.find_change(session, version) is None
    make_older(db)
    evaluate(db, version, [CAT])
    evaluate(db, version, [CAT])
    with db.read() as session:
        change = decoding_change.find_change(session, version)
    assert change is not None
    assert change["n_right_now"] == 1


def test_a_version_with_older_predictions_is_evaluated_before_it_is_compared(db: Database, version: int) -> None:
    evaluate(db, version, [CAT])
    labels = {bytes(32): "cat"}
    with db.read() as session:
        assert promotion_gate.has_all_predictions(session, version, labels)
    make_older(db)
    with db.read() as session:
        assert not promotion_gate.has_all_predictions(session, version, labels)
