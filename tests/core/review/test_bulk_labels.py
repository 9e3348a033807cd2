"""Many pictures labelled in one go: by filter, slice by slice, once, and taken back in one go."""

from uuid import UUID, uuid4

import pytest

from core.base.database import Database
from core.base.errors import Conflict, ErrorCode, Gone, Invalid
from core.base.states import BatchKind
from core.cleanup import deletion
from core.jobs.result_filter import ResultFilter
from core.labels import labels
from core.labels.labels import NewLabel
from core.orm.labels import Label
from core.orm.review import LabelBatch
from core.review import bulk_labels
from core.storage.blobs import Blobs
from tests.support.actors import as_owner
from tests.support.factories import draw_picture, make_job, make_upload, read_results, run_job

pytestmark = pytest.mark.usefixtures("version")

OUTCOMES = {
    "p/1.jpg": (0.95, 0.01),
    "p/2.jpg": (0.1, 0.9),
    "p/3.jpg": (0.5, 0.4),
    "p/4.jpg": ErrorCode.TRUNCATED,
    "p/5.jpg": (0.99, 0.0),
}


@pytest.fixture
def job(db: Database, blobs: Blobs) -> UUID:
    """Two cats, a dog, one unsure, one broken, at the threshold 0.8."""
    job = make_job(db, make_upload(db, blobs, {path: draw_picture(n) for n, path in enumerate(OUTCOMES)}))
    run_job(db, job, OUTCOMES)
    return job


def do(
    db: Database,
    job: UUID,
    kind: BatchKind,
    wanted: ResultFilter | None = None,
    label: str | None = None,
    image_ids: list[int] | None = None,
    except_ids: list[int] | None = None,
) -> LabelBatch:
    uuid, wanted, some = uuid4(), wanted or ResultFilter(), {"image_ids": image_ids, "except_ids": except_ids or []}
    with db.write() as session:
        bulk_labels.create_batch(session, as_owner(session), uuid, job, kind, wanted, label, **some)
    return bulk_labels.run_batch(db, uuid, 60)


def undo(db: Database, batch: LabelBatch) -> LabelBatch:
    with db.write() as session:
        uuid = bulk_labels.undo_batch(session, as_owner(session), uuid4(), batch.uuid).uuid
    return bulk_labels.run_batch(db, uuid, 60)


def words(db: Database, job: UUID) -> list[str | None]:
    return [row.human_label for row in read_results(db, job)]


def say(db: Database, job: UUID, ordinal: int, label: str) -> None:
    with db.write() as session:
        labels.add_labels(session, None, [NewLabel(read_results(db, job)[ordinal].image_id, label)])


def test_all_that_a_filter_shows_gets_the_label(db: Database, job: UUID) -> None:
    batch = do(db, job, BatchKind.LABEL, ResultFilter(label="cat"), "neither")
    assert words(db, job) == ["neither", None, None, None, "neither"]
    assert (batch.n_labels, batch.finished_at is not None) == (2, True)


def test_confirming_says_what_the_model_shows_and_leaves_unsure_and_labelled_ones_alone(
    db: Database, job: UUID
) -> None:
    say(db, job, 0, "dog")
    batch = do(db, job, BatchKind.CONFIRM)
    assert words(db, job) == ["dog", "dog", None, None, "cat"]
    assert (batch.n_labels, batch.n_skipped) == (2, 2)
    with db.read() as session:
        assert {row.source for row in session.query(Label).filter_by(batch_id=batch.id)} == {"confirmation"}


def test_only_confirming_everything_counts_as_the_whole_job(db: Database, job: UUID) -> None:
    some = read_results(db, job)[0].image_id
    assert not do(db, job, BatchKind.CONFIRM, ResultFilter(label="cat")).is_whole
    assert not do(db, job, BatchKind.CONFIRM, image_ids=[some]).is_whole
    assert not do(db, job, BatchKind.CONFIRM, except_ids=[some]).is_whole
    assert not do(db, job, BatchKind.LABEL, label="cat").is_whole
    assert do(db, job, BatchKind.CONFIRM, ResultFilter(sort="path")).is_whole


def test_chosen_pictures_can_be_labelled_in_one_go(db: Database, job: UUID) -> None:
    rows = read_results(db, job)
    do(db, job, BatchKind.LABEL, label="cat", image_ids=[rows[1].image_id, rows[2].image_id])
    assert words(db, job) == [None, "cat", "cat", None, None]


def test_all_but_some_can_be_confirmed(db: Database, job: UUID) -> None:
    odd_one = read_results(db, job)[0].image_id
    do(db, job, BatchKind.CONFIRM, ResultFilter(label="cat"), except_ids=[odd_one])
    assert words(db, job) == [None, None, None, None, "cat"]


def test_a_label_that_the_model_shows_anyway_is_a_confirmation(db: Database, job: UUID) -> None:
    batch = do(db, job, BatchKind.LABEL, label="cat")
    with db.read() as session:
        sources = [row.source for row in session.query(Label).filter_by(batch_id=batch.id).order_by(Label.image_id)]
    assert sources == ["confirmation", "correction", "correction", "confirmation"], "the third is shown as unsure"


def test_undoing_a_batch_restores_what_was_said_before_it(db: Database, job: UUID) -> None:
    say(db, job, 0, "dog")
    batch = do(db, job, BatchKind.LABEL, label="neither")
    assert words(db, job) == ["neither", "neither", "neither", None, "neither"]
    say(db, job, 4, "cat")
    taken_back = undo(db, batch)
    assert words(db, job) == ["dog", None, None, None, "cat"], "what was said since then stays"
    assert (taken_back.n_labels, taken_back.n_skipped) == (3, 1)
    again = undo(db, batch)
    assert again.id == taken_back.id
    with pytest.raises(Conflict, match="Label the pictures again"):
        undo(db, taken_back)


def test_large_batches_are_written_in_slices_and_go_on_where_they_stopped(
    db: Database, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_labels, "SLICE", 10)
    job = make_job(db, make_upload(db, blobs, n_files=35))
    run_job(db, job)
    uuid = uuid4()
    with db.write() as session:
        bulk_labels.create_batch(session, as_owner(session), uuid, job, BatchKind.LABEL, ResultFilter(), "dog")
    first = bulk_labels.run_batch(db, uuid, 0)
    assert (first.n_labels, first.finished_at) == (10, None)
    with db.write() as session:  # as somebody does who has had no answer
        bulk_labels.create_batch(session, as_owner(session), uuid, job, BatchKind.LABEL, ResultFilter(), "dog")
    last = bulk_labels.run_batch(db, uuid, 60)
    assert (last.n_labels, last.finished_at is not None) == (35, True)
    assert words(db, job) == ["dog"] * 35
    assert undo(db, last).n_labels == 35
    assert words(db, job) == [None] * 35


def test_undoing_stops_a_batch_that_is_half_done(db: Database, blobs: Blobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_labels, "SLICE", 10)
    job = make_job(db, make_upload(db, blobs, n_files=35))
    run_job(db, job)
    uuid = uuid4()
    with db.write() as session:
        bulk_labels.create_batch(session, as_owner(session), uuid, job, BatchKind.LABEL, ResultFilter(), "dog")
    undo(db, bulk_labels.run_batch(db, uuid, 0))
    assert bulk_labels.run_batch(db, uuid, 60).n_labels == 10
    assert words(db, job) == [None] * 35


def test_the_same_content_twice_is_labelled_once(db: Database, blobs: Blobs) -> None:
    same = draw_picture(1)
    job = make_job(db, make_upload(db, blobs, {"a/1.jpg": same, "a/2.jpg": same}))
    run_job(db, job)
    assert do(db, job, BatchKind.LABEL, label="dog").n_labels == 1
    assert words(db, job) == ["dog", "dog"]


def test_what_cannot_be_is_refused_before_anything_is_written(db: Database, job: UUID) -> None:
    with pytest.raises(Invalid, match="bird"):
        do(db, job, BatchKind.LABEL, label="bird")
    with pytest.raises(Invalid, match="horse"):
        do(db, job, BatchKind.CONFIRM, ResultFilter(label="horse"))
    with db.read() as session:
        assert session.query(LabelBatch).count() == 0


def test_an_id_belongs_to_one_batch(db: Database, job: UUID) -> None:
    batch = do(db, job, BatchKind.LABEL, label="dog")
    with pytest.raises(Conflict), db.write() as session:
        bulk_labels.create_batch(session, as_owner(session), batch.uuid, job, BatchKind.LABEL, ResultFilter(), "cat")


def test_a_deleted_job_is_gone(db: Database, job: UUID) -> None:
    with db.write() as session:
        deletion.delete_job(session, as_owner(session), job)
    with pytest.raises(Gone):
        do(db, job, BatchKind.CONFIRM)
