"""Progress of a review: what is kept of earlier counts changes nothing but the time."""

from uuid import UUID

import pytest
from sqlalchemy import update

from core.base.clock import db_now
from core.base.database import Database
from core.jobs import jobs
from core.jobs.progress import describe
from core.labels.labels import NewLabel, add_labels
from core.orm.labels import Label
from core.review import review_progress
from core.review.review_progress import SETTLED_S, ReviewProgress, ReviewTallies
from core.storage.blobs import Blobs
from tests.support.factories import draw_picture, make_job, make_upload, read_results, run_job

pytestmark = pytest.mark.usefixtures("version")

OUTCOMES = {"p/cat.jpg": (0.99, 0.01), "p/dog.jpg": (0.1, 0.9), "p/unsure.jpg": (0.5, 0.45), "p/car.jpg": (0.0, 0.1)}


@pytest.fixture
def job(db: Database, blobs: Blobs) -> UUID:
    job = make_job(db, make_upload(db, blobs, {path: draw_picture(n) for n, path in enumerate(OUTCOMES)}))
    run_job(db, job, OUTCOMES)
    return job


def _measure(tallies: ReviewTallies, db: Database, job: UUID) -> ReviewProgress:
    with db.read() as session:
        row = jobs.get_job(session, job)
        return tallies.measure(session, row, describe(session, row))


def _label(db: Database, job: UUID, labels: dict[str, str | None]) -> None:
    ids = {row.path: row.image_id for row in read_results(db, job)}
    with db.write() as session:
        add_labels(session, None, [NewLabel(ids[path], label) for path, label in labels.items()])


def _let_labels_settle(db: Database) -> None:
    with db.write() as session:
        session.execute(update(Label).values(created_at=db_now(-SETTLED_S - 1)))


@pytest.mark.parametrize("settles", [True, False])
def test_a_count_that_builds_on_an_earlier_one_equals_a_new_one(db: Database, job: UUID, settles: bool) -> None:
    tallies = ReviewTallies()
    steps: list[dict[str, str | None]] = [
        {},
        {"p/cat.jpg": "cat", "p/unsure.jpg": "dog"},
        {"p/cat.jpg": "dog", "p/car.jpg": "neither"},
        {"p/unsure.jpg": None, "p/dog.jpg": "dog"},
        {"p/cat.jpg": None, "p/car.jpg": "cat"},
    ]
    for labels in steps:
        _label(db, job, labels)
        assert _measure(tallies, db, job) == _measure(ReviewTallies(), db, job)
        if settles:
            _let_labels_settle(db)
    assert _measure(tallies, db, job) == ReviewProgress(
        n_good=4, n_reviewed=2, n_unsure_left=1, n_neither_left=0, n_other=0
    )


def test_a_page_waits_for_a_count_of_few_new_labels_only(
    db: Database, job: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(review_progress, "FEW", 1)
    tallies = ReviewTallies()

    def is_quick() -> bool:
        with db.read() as session:
            return tallies.is_quick(session, jobs.get_job(session, job))

    assert is_quick()
    _label(db, job, {"p/cat.jpg": "cat", "p/dog.jpg": "dog"})
    assert not is_quick()
    _let_labels_settle(db)
    _measure(tallies, db, job)
    assert is_quick()


def test_another_threshold_and_more_results_are_counted_anew(db: Database, job: UUID) -> None:
    tallies = ReviewTallies()
    _label(db, job, {"p/unsure.jpg": "cat"})
    assert _measure(tallies, db, job).n_unsure_left == 0
    with db.write() as session:
        jobs.get_job(session, job).threshold_milli = 950
    assert _measure(tallies, db, job).n_unsure_left == 1
