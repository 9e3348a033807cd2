"""Folders that people rearranged, read as corrections: by content, only what is news, once, and undone in one go."""

import hashlib
import time
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from core.base.clock import db_now
from core.base.database import Database
from core.base.errors import Conflict, ErrorCode, NotFound
from core.labels.labels import NewLabel, add_labels
from core.orm.labels import Label
from core.orm.review import LabelBatch
from core.review import bulk_labels, correction_batches
from core.review.corrected_folders import CorrectionPlan, FolderItem, LabelChange, folder_label
from core.review.sort_manifest import ManifestEntry, ManifestHead
from core.storage.blobs import Blobs
from tests.support.actors import as_owner
from tests.support.factories import draw_picture, make_job, make_upload, read_results, run_job

pytestmark = pytest.mark.usefixtures("version")

OUTCOMES = {
    "p/1.jpg": (0.95, 0.01),
    "p/2.jpg": (0.1, 0.9),
    "p/3.jpg": (0.5, 0.4),
    "p/4.jpg": ErrorCode.TRUNCATED,
}
CONTENTS = {path: draw_picture(n) for n, path in enumerate(OUTCOMES)}


@pytest.fixture
def job(db: Database, blobs: Blobs) -> UUID:
    """A cat, a dog, one unsure, one broken, at the threshold 0.8."""
    job = make_job(db, make_upload(db, blobs, CONTENTS))
    run_job(db, job, OUTCOMES)
    return job


@dataclass
class Sent:
    """What came of sending a folder."""

    plan: CorrectionPlan
    batch: UUID | None
    n_labels: int


def files(*places: tuple[str, str]) -> list[FolderItem]:
    """Files as (where it lies now, which file of the job it is)."""
    return [(path, digest(of)) for path, of in places]


def digest(path: str) -> bytes:
    return hashlib.sha256(CONTENTS.get(path, path.encode())).digest()


def send(db: Database, job: UUID, *places: tuple[str, str], batch: UUID | None = None) -> Sent:
    plan, written = correction_batches.import_corrections(db, as_owner(db), job, batch or uuid4(), files(*places))
    return Sent(plan, written.uuid if written else None, written.n_labels if written else 0)


def made_now(db: Database, **was: str) -> list[FolderItem]:
    """The manifest of a folder that is made at this moment; names stand for the files of the job."""
    with db.read() as session:
        moment = session.scalars(select(db_now())).one()
    return [ManifestHead(moment), *(ManifestEntry(digest(f"p/{name[1:]}.jpg"), label) for name, label in was.items())]


def label(db: Database, job: UUID, path: str, label: str | None) -> None:
    time.sleep(0.002)  # the clock of SQLite has milliseconds
    with db.write() as session:
        image = next(row.image_id for row in read_results(db, job) if row.path == path)
        add_labels(session, None, [NewLabel(image, label)])


def words(db: Database, job: UUID) -> list[str | None]:
    return [row.human_label for row in read_results(db, job)]


def test_what_lies_in_another_folder_than_shown_is_corrected(db: Database, job: UUID) -> None:
    found = send(db, job, ("dog/1.jpg", "p/1.jpg"), ("s/neither/2.jpg", "p/2.jpg"), ("Cats/renamed.jpg", "p/3.jpg"))
    assert words(db, job) == ["dog", "neither", "cat", None]
    assert (found.n_labels, found.plan.n_confirmed) == (3, 0)
    with db.read() as session:
        assert {label.source for label in session.query(Label)} == {"correction"}


def test_a_folder_as_it_was_sorted_says_nothing_new(db: Database, job: UUID) -> None:
    found = send(db, job, ("cat/p/1.jpg", "p/1.jpg"), ("dog/p/2.jpg", "p/2.jpg"), ("unsure/p/3.jpg", "p/3.jpg"))
    assert words(db, job) == [None] * 4
    assert (found.plan.labels, found.plan.n_confirmed, found.plan.n_silent, found.batch) == ([], 2, 1, None)


def test_sent_again_nothing_is_written_twice(db: Database, job: UUID) -> None:
    batch = uuid4()
    first = send(db, job, ("dog/1.jpg", "p/1.jpg"), batch=batch)
    second = send(db, job, ("dog/1.jpg", "p/1.jpg"), batch=batch)
    third = send(db, job, ("dog/1.jpg", "p/1.jpg"))
    assert [one.n_labels for one in (first, second, third)] == [1, 1, 0]
    with db.read() as session:
        assert session.query(Label).count() == 1


def test_all_of_it_is_taken_back_in_one_go(db: Database, job: UUID) -> None:
    found = send(db, job, ("dog/1.jpg", "p/1.jpg"), ("cat/2.jpg", "p/2.jpg"))
    assert found.batch is not None
    with db.write() as session:
        undo = bulk_labels.undo_batch(session, as_owner(session), uuid4(), found.batch).uuid
    bulk_labels.run_batch(db, undo, 60)
    assert words(db, job) == [None] * 4
    with pytest.raises(Conflict, match="was undone"):
        send(db, job, ("dog/1.jpg", "p/1.jpg"), batch=found.batch)


def test_the_same_picture_in_folders_of_two_classes_is_named_and_left_alone(db: Database, job: UUID) -> None:
    found = send(db, job, ("dog/1.jpg", "p/1.jpg"), ("cat/a.jpg", "p/1.jpg"), ("neither/1.jpg", "p/1.jpg"))
    assert words(db, job)[0] is None
    assert (found.plan.n_ambiguous, len(found.plan.ambiguous)) == (1, 1)
    assert "dog/1.jpg (dog) and cat/a.jpg (cat) are the same picture" in found.plan.ambiguous[0]


def test_a_copy_that_was_left_in_unsure_does_not_matter(db: Database, job: UUID) -> None:
    found = send(db, job, ("unsure/3.jpg", "p/3.jpg"), ("cat/3.jpg", "p/3.jpg"))
    assert (words(db, job)[2], found.n_labels, found.plan.n_silent) == ("cat", 1, 0)


def test_files_that_the_job_does_not_know_are_counted_and_named(db: Database, job: UUID) -> None:
    found = send(
        db,
        job,
        ("cat/new.jpg", "something else"),
        ("s/errors.csv", "a list"),
        ("s/renamed.csv", "another"),
        ("s/pawsort-manifest.jsonl", "a manifest"),
    )
    assert (found.plan.n_unknown, found.plan.unknown) == (1, ["cat/new.jpg"])


def test_another_batch_of_that_id_is_not_added_to(db: Database, blobs: Blobs, job: UUID) -> None:
    other = make_job(db, make_upload(db, blobs, CONTENTS))
    batch = uuid4()
    send(db, job, ("dog/1.jpg", "p/1.jpg"), batch=batch)
    with pytest.raises(Conflict, match="a different batch"):
        send(db, other, ("dog/1.jpg", "p/1.jpg"), batch=batch)


def test_with_a_manifest_only_moved_pictures_change_and_newer_labels_stay(db: Database, job: UUID) -> None:
    manifest = made_now(db, _1="cat", _2="dog", _3="unsure")
    label(db, job, "p/1.jpg", "neither")  # not moved
    label(db, job, "p/2.jpg", "neither")  # moved to cat
    places = files(("cat/1.jpg", "p/1.jpg"), ("cat/2.jpg", "p/2.jpg"), ("dog/3.jpg", "p/3.jpg"))
    plan = correction_batches.check_corrections(db, job, [*places, *manifest])
    assert plan.changes == [LabelChange("unsure", "dog", 1)]
    assert (plan.n_newer, plan.n_unmoved, plan.n_confirmed) == (2, 0, 0)
    assert plan.exported_at is not None


def test_a_picture_that_was_not_moved_keeps_a_label_from_before(db: Database, job: UUID) -> None:
    label(db, job, "p/1.jpg", "neither")
    manifest = made_now(db, _1="cat", _2="dog")  # sorted by the model's labels
    plan = correction_batches.check_corrections(
        db, job, [*manifest, *files(("cat/1.jpg", "p/1.jpg"), ("cat/2.jpg", "p/2.jpg"))]
    )
    assert (plan.changes, plan.n_unmoved, plan.n_newer) == ([LabelChange("dog", "cat", 1)], 1, 0)


def test_a_newer_label_that_was_undone_is_none(db: Database, job: UUID) -> None:
    manifest = made_now(db, _1="cat")
    key = uuid4()
    with db.write() as session:
        image = read_results(db, job)[0].image_id
        add_labels(session, None, [NewLabel(image, "neither", key=key), NewLabel(image, None, undoes=key)])
    plan = correction_batches.check_corrections(db, job, [*files(("dog/1.jpg", "p/1.jpg")), *manifest])
    assert (plan.changes, plan.n_newer) == ([LabelChange("cat", "dog", 1)], 0)


def test_a_folder_that_was_sorted_twice_is_compared_with_what_was_said_last(db: Database, job: UUID) -> None:
    first = made_now(db, _1="cat")
    label(db, job, "p/1.jpg", "dog")
    places = files(("dog/1.jpg", "p/1.jpg"), ("cat/2.jpg", "p/2.jpg"))
    plan = correction_batches.check_corrections(db, job, [*places, *first, *made_now(db, _1="dog", _2="dog")])
    assert (plan.n_confirmed, plan.changes) == (1, [LabelChange("dog", "cat", 1)])


def test_without_a_manifest_it_says_how_many_labels_of_people_would_be_replaced(db: Database, job: UUID) -> None:
    label(db, job, "p/1.jpg", "neither")
    plan = correction_batches.check_corrections(
        db, job, files(("dog/1.jpg", "p/1.jpg"), ("cat/2.jpg", "p/2.jpg"), ("cat/3.jpg", "p/3.jpg"))
    )
    assert (plan.exported_at, len(plan.labels), plan.n_replaced) == (None, 3, 1)
    assert words(db, job) == ["neither", None, None, None]


def test_what_is_labelled_between_preview_and_apply_stays(db: Database, job: UUID) -> None:
    batch = uuid4()
    moved = files(("dog/1.jpg", "p/1.jpg"), ("cat/2.jpg", "p/2.jpg"))
    assert len(correction_batches.prepare_corrections(db, as_owner(db), job, batch, moved).labels) == 2
    assert words(db, job) == [None] * 4
    label(db, job, "p/2.jpg", "neither")
    applied = [correction_batches.apply_corrections(db, as_owner(db), job, batch) for _ in range(2)]
    assert [(one.n_labels, one.n_skipped) for one in applied] == [(1, 1)] * 2
    assert words(db, job) == ["dog", "neither", None, None]


def test_a_preview_that_nobody_applies_is_deleted_after_a_day(db: Database, job: UUID) -> None:
    old = uuid4()
    moved = files(("dog/1.jpg", "p/1.jpg"))
    correction_batches.prepare_corrections(db, as_owner(db), job, old, moved)
    with db.write() as session:
        session.execute(update(LabelBatch).values(created_at=db_now(-90_000)))
    correction_batches.prepare_corrections(db, as_owner(db), job, uuid4(), moved)
    with pytest.raises(NotFound, match="no longer kept"):
        correction_batches.apply_corrections(db, as_owner(db), job, old)


def test_slices_that_were_written_are_not_written_again(
    db: Database, job: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(correction_batches, "SLICE", 1)
    found = send(db, job, ("dog/1.jpg", "p/1.jpg"), ("cat/2.jpg", "p/2.jpg"), ("cat/3.jpg", "p/3.jpg"))
    assert found.n_labels == 3
    assert words(db, job) == ["dog", "cat", "cat", None]


@pytest.mark.parametrize(
    ("path", "sent", "expected"),
    [
        ("dog/a.jpg", ["photos/a.jpg"], "dog"),
        ("dog/photos/cats/a.jpg", ["photos/cats/a.jpg"], "dog"),
        ("dog/photos/cats/a (2).jpg", ["photos/cats/A.jpg"], "dog"),
        ("dog/photos/_con/cats_/a.jpg", ["photos/con/cats./a.jpg"], "dog"),
        ("unsure/photos/cats/a.jpg", ["photos/cats/a.jpg"], None),
        ("unlabelled/a.jpg", ["photos/a.jpg"], None),
        ("photos/dogs/a.jpg", ["photos/cats/a.jpg"], "dog"),
        ("photos/cats/a.jpg", ["photos/cats/a.jpg"], "cat"),
        ("cat/photos/dogs/a.jpg", ["x/a.jpg", "photos/dogs/a.jpg"], "cat"),
        ("sorted/NEITHER/deep/er/a.jpg", ["photos/a.jpg"], "neither"),
        ("a.jpg", ["photos/a.jpg"], None),
        ("photos/a.jpg", ["photos/a.jpg"], None),
    ],
)
def test_the_nearest_folder_that_was_not_sent_so_decides(path: str, sent: list[str], expected: str | None) -> None:
    assert folder_label(path, sent) == expected
