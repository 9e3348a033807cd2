"""Small jobs are shared between reviewers."""

from uuid import UUID, uuid4

import pytest

from core.base.database import Database
from core.jobs import jobs
from core.review import portions, review_queue
from core.review.portions import RESERVE, Portion
from core.review.review_queue import ReviewQueue
from core.storage.blobs import Blobs
from tests.support.factories import make_job, make_upload, run_job

pytestmark = pytest.mark.usefixtures("version")

N = 48


@pytest.fixture
def job(db: Database, blobs: Blobs) -> UUID:
    job = make_job(db, make_upload(db, blobs, n_files=N))
    run_job(db, job)
    return job


class Reviewer:
    """One open page, which keeps what it should."""

    def __init__(self, db: Database, job: UUID) -> None:
        self.db, self.job, self.id = db, job, uuid4()
        self.holding: list[int] = []

    def ask(self, wanted: int, skipped: tuple[int, ...] = ()) -> Portion:
        """Get more pictures, and release the surplus."""
        with self.db.write() as session:
            queue = ReviewQueue(jobs.get_job(session, self.job))
            others = portions.find_others(session, queue, self.id)
            portion = portions.find_portion(
                session, queue, self.id, others, wanted=wanted, after=None, holding=self.holding, skipped=skipped
            )
            kept = [one for one in self.holding if one not in portion.surplus]
            new = [picture.image_id for picture in portion.candidates]
            review_queue.claim_pictures(session, queue, self.id, kept, skipped, new)
        self.holding = kept + new
        return portion


def test_a_reviewer_who_is_alone_leaves_a_few_for_the_next_one(db: Database, job: UUID) -> None:
    alone, next_one = Reviewer(db, job), Reviewer(db, job)
    alone.ask(N)
    assert len(alone.holding) == N - RESERVE
    next_one.ask(N)
    assert len(next_one.holding) == RESERVE


def test_two_reviewers_share_what_is_left(db: Database, job: UUID) -> None:
    one, two = Reviewer(db, job), Reviewer(db, job)
    for reviewer in (one, two, one, two):
        reviewer.ask(N)
    assert len(one.holding) == len(two.holding) == N // 2
    assert not set(one.holding) & set(two.holding)


def test_the_last_pictures_of_a_share_are_surplus(db: Database, job: UUID) -> None:
    one, two = Reviewer(db, job), Reviewer(db, job)
    one.ask(N)
    two.ask(1)
    before = one.holding
    surplus = one.ask(0).surplus
    assert surplus
    assert before == one.holding + surplus


def test_nothing_is_shared_while_enough_is_left(db: Database, job: UUID) -> None:
    one, two = Reviewer(db, job), Reviewer(db, job)
    one.ask(4)
    two.ask(4)
    assert one.ask(1).surplus == []
    assert (len(one.holding), len(two.holding)) == (5, 4)


def test_the_last_picture_goes_to_a_reviewer_who_is_alone(db: Database, job: UUID) -> None:
    alone = Reviewer(db, job)
    handed = 0
    for _ in range(N):
        handed += len(alone.ask(N).candidates)
        alone.ask(0, skipped=tuple(alone.holding))
        alone.holding = []
    assert handed == N
