"""Handing out pictures: the most doubtful first, nobody's twice, and what somebody left comes back."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from core.base.clock import db_now, seconds_since
from core.base.database import Database
from core.base.errors import ErrorCode
from core.cleanup import deletion, purge
from core.jobs import jobs
from core.jobs.progress import describe
from core.labels import labels
from core.labels.labels import NewLabel
from core.orm.review import ReviewClaim
from core.review import review_queue
from core.review.review_progress import ReviewProgress, ReviewTallies
from core.review.review_queue import Position, ReviewQueue
from core.storage.blobs import Blobs
from tests.support.actors import as_owner
from tests.support.factories import draw_picture, make_job, make_upload, read_results, run_job

pytestmark = pytest.mark.usefixtures("version")

OUTCOMES = {
    "p/sure cat.jpg": (0.99, 0.01),
    "p/unsure dog.jpg": (0.40, 0.55),
    "p/broken.jpg": ErrorCode.TRUNCATED,
    "p/sure dog.jpg": (0.10, 0.90),
    "p/unsure cat.jpg": (0.50, 0.45),
    "p/just cat.jpg": (0.81, 0.10),
    "p/corridor.jpg": (0.00, 0.01),
    "p/squirrel.jpg": (0.30, 0.10),
}
IN_ORDER = [
    "p/unsure dog.jpg",
    "p/unsure cat.jpg",
    "p/just cat.jpg",
    "p/sure dog.jpg",
    "p/sure cat.jpg",
    "p/squirrel.jpg",
    "p/corridor.jpg",
]


@pytest.fixture
def job(db: Database, blobs: Blobs) -> UUID:
    """Two unsure, three sure, two of neither, one broken, at the threshold 0.8."""
    job = make_job(db, make_upload(db, blobs, {path: draw_picture(n) for n, path in enumerate(OUTCOMES)}))
    run_job(db, job, OUTCOMES)
    return job


class Reviewer:
    """One open page, as the server knows it."""

    def __init__(self, db: Database, job: UUID) -> None:
        self.db, self.job, self.id = db, job, uuid4()
        self.holding: dict[str, int] = {}
        self.after: Position | None = None

    def ask(self, n: int, skipped: tuple[int, ...] = ()) -> list[str | None]:
        """Hold on to what is there, ask for more; the paths that were handed out."""
        with self.db.write() as session:
            queue = ReviewQueue(jobs.get_job(session, self.job))
            found = review_queue.find_candidates(
                session, queue, self.id, self.after, n + len(self.holding) + len(skipped)
            )
            new = [one for one in found if one.image_id not in {*self.holding.values(), *skipped}][:n]
            ids = [one.image_id for one in new]
            own = review_queue.claim_pictures(session, queue, self.id, self.holding.values(), skipped, ids)
        got = [one for one in new if one.image_id in own]
        self.holding |= {one.path or "": one.image_id for one in got}
        return [one.path for one in got]

    def say(self, path: str, label: str = "cat") -> None:
        """Label a picture and let it go."""
        with self.db.write() as session:
            labels.add_labels(session, None, [NewLabel(self.holding.pop(path), label)])


def age_leases(db: Database) -> None:
    """As if two minutes had passed."""
    with db.write() as session:
        session.execute(update(ReviewClaim).values(lease_until=db_now(-1)))


def test_each_part_of_the_queue_begins_closest_to_the_threshold_and_neither_comes_last(db: Database, job: UUID) -> None:
    assert Reviewer(db, job).ask(10) == IN_ORDER


def test_the_queue_goes_on_after_each_of_its_positions(db: Database, job: UUID) -> None:
    with db.read() as session:
        queue = ReviewQueue(jobs.get_job(session, job))
        found = review_queue.find_candidates(session, queue, uuid4(), None, 10)
        assert [one.place for one in found] == sorted(one.place for one in found)
        for n, picture in enumerate(found[:-1]):
            [following] = review_queue.find_candidates(session, queue, uuid4(), picture.place, 1)
            assert following.path == IN_ORDER[n + 1]


def test_pictures_that_are_looked_up_have_the_places_of_the_queue(db: Database, job: UUID) -> None:
    with db.read() as session:
        queue = ReviewQueue(jobs.get_job(session, job))
        found = review_queue.find_candidates(session, queue, uuid4(), None, 10)
        assert review_queue.find_pictures(session, queue, [one.image_id for one in found]) == found


def test_what_people_have_labelled_is_not_handed_out(db: Database, job: UUID) -> None:
    first = Reviewer(db, job)
    first.ask(1)
    first.say(IN_ORDER[0])
    assert Reviewer(db, job).ask(10) == IN_ORDER[1:]


def test_two_reviewers_get_different_pictures(db: Database, job: UUID) -> None:
    one, two = Reviewer(db, job), Reviewer(db, job)
    assert one.ask(2) == IN_ORDER[:2]
    assert two.ask(2) == IN_ORDER[2:4]
    assert one.ask(3) == IN_ORDER[4:]
    assert two.ask(2) == []


def test_a_claim_that_comes_second_gets_nothing(db: Database, job: UUID) -> None:
    with db.write() as session:
        queue = ReviewQueue(jobs.get_job(session, job))
        both = [one.image_id for one in review_queue.find_candidates(session, queue, uuid4(), None, 2)]
        assert review_queue.claim_pictures(session, queue, uuid4(), (), (), both) == set(both)
        assert review_queue.claim_pictures(session, queue, uuid4(), (), (), both) == set()


def test_pictures_of_someone_who_left_come_back_when_the_lease_has_run_out(db: Database, job: UUID) -> None:
    one, two = Reviewer(db, job), Reviewer(db, job)
    one.ask(2)
    two.after = (3 * review_queue.MOST_APART, 0)  # far along the queue
    two.ask(1)
    age_leases(db)
    assert two.ask(2) == IN_ORDER[:2]
    assert one.ask(0) == []


def test_a_lease_is_renewed_by_naming_the_picture_again(db: Database, job: UUID) -> None:
    one = Reviewer(db, job)
    one.ask(1)
    with db.write() as session:
        session.execute(update(ReviewClaim).values(lease_until=db_now(1)))
    one.ask(0)
    with db.read() as session:
        assert session.scalars(select(seconds_since(ReviewClaim.lease_until))).one() < -60


def test_whatever_is_no_longer_named_is_free_at_once(db: Database, job: UUID) -> None:
    one, two = Reviewer(db, job), Reviewer(db, job)
    one.ask(2)
    del one.holding[IN_ORDER[0]]
    one.ask(0)
    assert two.ask(2) == [IN_ORDER[0], IN_ORDER[2]]
    with db.write() as session:
        review_queue.release(session, ReviewQueue(jobs.get_job(session, job)), one.id)
    assert two.ask(1) == [IN_ORDER[1]]


def test_skipped_pictures_wait_until_somebody_asks_for_them(db: Database, job: UUID) -> None:
    one, two = Reviewer(db, job), Reviewer(db, job)
    one.ask(1)
    skipped = one.holding.pop(IN_ORDER[0])
    assert one.ask(1, (skipped,)) == [IN_ORDER[1]]
    assert two.ask(10) == IN_ORDER[2:]
    with db.write() as session:
        queue = ReviewQueue(jobs.get_job(session, job))
        assert review_queue.count_skipped(session, queue) == 1
        review_queue.restore_skipped(session, queue)
    assert two.ask(10) == [IN_ORDER[0]]


def test_a_skip_can_be_taken_back(db: Database, job: UUID) -> None:
    one = Reviewer(db, job)
    one.ask(1)
    skipped = one.holding.pop(IN_ORDER[0])
    one.ask(0, (skipped,))
    one.holding[IN_ORDER[0]] = skipped
    one.ask(0)
    with db.read() as session:
        assert review_queue.count_skipped(session, ReviewQueue(jobs.get_job(session, job))) == 0


def test_progress_counts_what_was_looked_at_and_what_is_left(db: Database, job: UUID) -> None:
    one = Reviewer(db, job)
    one.ask(10)
    one.say("p/unsure cat.jpg")
    one.say("p/sure dog.jpg", "cat")
    one.say("p/sure cat.jpg", "cat")
    with db.read() as session:
        row = jobs.get_job(session, job)
        progress = ReviewTallies().measure(session, row, describe(session, row))
    assert progress == ReviewProgress(n_good=7, n_reviewed=3, n_unsure_left=1, n_neither_left=2, n_other=1)


def test_claims_go_with_the_job(db: Database, blobs: Blobs, job: UUID) -> None:
    Reviewer(db, job).ask(3)
    with db.write() as session:
        deletion.delete_job(session, as_owner(session), job)
    purge.purge_all(db, blobs)
    with db.read() as session:
        assert session.query(ReviewClaim).count() == 0


def test_a_labelled_duplicate_is_not_handed_out(db: Database, blobs: Blobs) -> None:
    same = draw_picture(1)
    job = make_job(db, make_upload(db, blobs, {"a/1.jpg": same, "a/2.jpg": same}))
    run_job(db, job)
    with db.write() as session:
        labels.add_labels(session, None, [NewLabel(read_results(db, job)[0].image_id, "cat")])
    assert Reviewer(db, job).ask(10) == []
