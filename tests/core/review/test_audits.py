"""Random samples: uniform, drawn once, judged blind, with an honest interval."""

from collections import Counter
from uuid import UUID, uuid4

import pytest

from core.base.database import Database
from core.base.errors import Conflict, ErrorCode, Invalid
from core.base.states import LabelSource
from core.jobs import jobs
from core.labels import labels
from core.labels.labels import NewLabel
from core.models.accuracy import wilson_interval
from core.orm.review import Audit, AuditPicture
from core.review import audits, review_queue
from core.review.review_queue import ReviewQueue
from core.storage.blobs import Blobs
from tests.support.factories import make_job, make_upload, read_results, run_job

pytestmark = pytest.mark.usefixtures("version")

UNSURE = {f"photos/{n}.jpg": (0.5, 0.4) for n in range(10)}
BROKEN: dict[str, tuple[float, float] | ErrorCode] = {"photos/10.jpg": ErrorCode.TRUNCATED}


@pytest.fixture
def job(db: Database, blobs: Blobs) -> UUID:
    """60 pictures: ten unsure, one broken, 49 cats."""
    job = make_job(db, make_upload(db, blobs, n_files=60))
    run_job(db, job, BROKEN | UNSURE)
    return job


def draw(db: Database, job: UUID, size: int = 50, seed: int | None = None) -> Audit:
    return audits.draw_audit(db, uuid4(), job, None, size, seed)


def pictures(db: Database, audit: Audit) -> list[AuditPicture]:
    with db.read() as session:
        of_audit = session.query(AuditPicture).filter_by(audit_id=audit.id)
        return list(of_audit.order_by(AuditPicture.position))


def judge(db: Database, audit: Audit, image_id: int, label: str | None, key: UUID | None = None) -> None:
    with db.write() as session:
        said = NewLabel(image_id, label, LabelSource.AUDIT, key)
        labels.add_labels(session, None, [said], audit.id)


def test_a_sample_is_drawn_once_from_the_good_results(db: Database, job: UUID) -> None:
    uuid = uuid4()
    audit = audits.draw_audit(db, uuid, job, None, 50)
    before = [picture.image_id for picture in pictures(db, audit)]
    assert audits.draw_audit(db, uuid, job, None, 50).id == audit.id
    assert [picture.image_id for picture in pictures(db, audit)] == before
    assert (audit.n_images, audit.n_population) == (50, 59)
    assert read_results(db, job)[10].image_id not in before


def test_the_seed_decides_and_the_order_is_random(db: Database, job: UUID) -> None:
    one, same, other = ([picture.image_id for picture in pictures(db, draw(db, job, seed=seed))] for seed in (1, 1, 2))
    assert one == same
    assert set(one) != set(other)
    assert one != sorted(one)


def test_every_picture_has_the_same_chance(db: Database, job: UUID) -> None:
    """Chi-squared over 300 samples of 50 out of 59: far from what a chance of one in ten thousand would give."""
    with db.read() as session:
        job_id = jobs.get_job(session, job).id
        seen: Counter[int] = Counter()
        for seed in range(300):
            seen.update(row["image_id"] for row in audits._choose(session, job_id, 50, seed)[0])
    expected, chance = 300 * 50 / 59, 50 / 59
    statistic = sum((n - expected) ** 2 / (300 * chance * (1 - chance)) for n in seen.values()) * 58 / 59
    assert len(seen) == 59
    assert statistic < 106  # chi-squared, 58 degrees of freedom


def test_a_sample_waits_until_everything_is_sorted(db: Database, blobs: Blobs) -> None:
    job = make_job(db, make_upload(db, blobs))
    with pytest.raises(Conflict, match="queued"):
        draw(db, job)
    run_job(db, job, default=(0.9, 0.05))
    assert draw(db, job).n_images == 4, "a small job is judged whole"


def test_other_sizes_are_refused(db: Database, job: UUID) -> None:
    with pytest.raises(Invalid, match="50, 100, 200"):
        draw(db, job, 99)


def test_accuracy_comes_with_its_interval_at_the_jobs_threshold(db: Database, job: UUID) -> None:
    audit = draw(db, job)
    for position, picture in enumerate(pictures(db, audit)):
        judge(db, audit, picture.image_id, "dog" if position < 5 else "cat")
    with db.read() as session:
        view = audits.describe_audit(session, audit, 800)
        lower = audits.describe_audit(session, audit, 0)
    n_unsure = sum(picture.confidence < 800_000 for picture in pictures(db, audit))
    assert view.is_complete
    assert view.n_labelled == 50 - n_unsure
    assert view.accuracy == view.n_right / view.n_labelled
    assert (view.accuracy_low, view.accuracy_high) == wilson_interval(view.n_right, view.n_labelled)
    assert (view.guess_accuracy, lower.accuracy, lower.n_labelled) == (0.9, 0.9, 50)


def test_what_people_say_later_outside_the_sample_does_not_change_it(db: Database, job: UUID) -> None:
    audit = draw(db, job)
    picture = pictures(db, audit)[0]
    judge(db, audit, picture.image_id, "cat")
    with db.write() as session:
        labels.add_labels(session, None, [NewLabel(picture.image_id, "dog")])
    with db.read() as session:
        assert [one.said for one in audits.list_answers(session, audit, 800)] == ["cat"]


def test_a_judgement_that_is_taken_back_is_none(db: Database, job: UUID) -> None:
    audit, key = draw(db, job), uuid4()
    picture = pictures(db, audit)[0]
    judge(db, audit, picture.image_id, "cat", key)
    with db.write() as session:
        labels.add_labels(session, None, [NewLabel(picture.image_id, None, undoes=key)], audit.id)
    with db.read() as session:
        view = audits.describe_audit(session, audit, 800)
        queue = ReviewQueue(jobs.get_job(session, job), audit)
        first = review_queue.find_candidates(session, queue, uuid4(), None, 1)
    assert (view.n_judged, view.accuracy) == (0, None)
    assert first[0].image_id == picture.image_id


def test_the_pictures_of_a_sample_are_handed_out_in_its_order_without_what_the_model_says(
    db: Database, job: UUID
) -> None:
    with db.write() as session:  # what was labelled before is judged again
        labels.add_labels(session, None, [NewLabel(row.image_id, "dog") for row in read_results(db, job)])
    audit = draw(db, job)
    with db.write() as session:
        queue = ReviewQueue(jobs.get_job(session, job), audit)
        found = review_queue.find_candidates(session, queue, uuid4(), None, 50)
    assert [one.image_id for one in found] == [picture.image_id for picture in pictures(db, audit)]
    assert {(one.path, one.label, one.confidence, one.human_label) for one in found} == {(None, None, None, None)}


def test_pictures_outside_the_sample_are_refused(db: Database, job: UUID) -> None:
    audit = draw(db, job)
    broken = read_results(db, job)[10].image_id
    with pytest.raises(Invalid, match="not in it"), db.read() as session:
        audits.check_pictures(session, audit, {broken})
