"""Folders that people rearranged, read as corrections: by content, only what is news, once, and undone in one go."""

import hashlib
from uuid import UUID, uuid4

import pytest

from core.base.database import Database
from core.base.errors import Conflict, ErrorCode
from core.orm.labels import Label
from core.review import bulk_labels, corrected_folders
from core.review.corrected_folders import FolderCorrections, folder_label
from core.storage.blobs import Blobs
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


def send(db: Database, job: UUID, *places: tuple[str, str], batch: UUID | None = None) -> FolderCorrections:
    """Send files as (where it lies now, which file of the job it is)."""
    files = [(path, hashlib.sha256(CONTENTS.get(of, of.encode())).digest()) for path, of in places]
    return corrected_folders.import_corrections(db, job, batch or uuid4(), None, iter(files))


def words(db: Database, job: UUID) -> list[str | None]:
    return [row.human_label for row in read_results(db, job)]


def test_what_lies_in_another_folder_than_shown_is_corrected(db: Database, job: UUID) -> None:
    found = send(db, job, ("dog/1.jpg", "p/1.jpg"), ("s/neither/2.jpg", "p/2.jpg"), ("Cats/renamed.jpg", "p/3.jpg"))
    assert words(db, job) == ["dog", "neither", "cat", None]
    assert (found.n_corrected, found.n_confirmed) == (3, 0)
    with db.read() as session:
        assert {label.source for label in session.query(Label)} == {"correction"}


def test_a_folder_as_it_was_sorted_says_nothing_new(db: Database, job: UUID) -> None:
    found = send(db, job, ("cat/p/1.jpg", "p/1.jpg"), ("dog/p/2.jpg", "p/2.jpg"), ("unsure/p/3.jpg", "p/3.jpg"))
    assert words(db, job) == [None] * 4
    assert (found.n_corrected, found.n_confirmed, found.n_silent, found.batch) == (0, 2, 1, None)


def test_sent_again_nothing_is_written_twice(db: Database, job: UUID) -> None:
    batch = uuid4()
    first = send(db, job, ("dog/1.jpg", "p/1.jpg"), batch=batch)
    second = send(db, job, ("dog/1.jpg", "p/1.jpg"), batch=batch)
    third = send(db, job, ("dog/1.jpg", "p/1.jpg"))
    assert [one.n_corrected for one in (first, second, third)] == [1, 1, 0]
    with db.read() as session:
        assert session.query(Label).count() == 1


def test_all_of_it_is_taken_back_in_one_go(db: Database, job: UUID) -> None:
    found = send(db, job, ("dog/1.jpg", "p/1.jpg"), ("cat/2.jpg", "p/2.jpg"))
    assert found.batch is not None
    with db.write() as session:
        undo = bulk_labels.undo_batch(session, uuid4(), found.batch, None).uuid
    bulk_labels.run_batch(db, undo, 60)
    assert words(db, job) == [None] * 4
    with pytest.raises(Conflict, match="was undone"):
        send(db, job, ("dog/1.jpg", "p/1.jpg"), batch=found.batch)


def test_the_same_picture_in_folders_of_two_classes_is_named_and_left_alone(db: Database, job: UUID) -> None:
    found = send(db, job, ("dog/1.jpg", "p/1.jpg"), ("cat/a.jpg", "p/1.jpg"), ("neither/1.jpg", "p/1.jpg"))
    assert words(db, job)[0] is None
    assert (found.n_ambiguous, len(found.ambiguous)) == (1, 1)
    assert "dog/1.jpg (dog) and cat/a.jpg (cat) are the same picture" in found.ambiguous[0]


def test_a_copy_that_was_left_in_unsure_does_not_matter(db: Database, job: UUID) -> None:
    found = send(db, job, ("unsure/3.jpg", "p/3.jpg"), ("cat/3.jpg", "p/3.jpg"))
    assert (words(db, job)[2], found.n_corrected, found.n_silent) == ("cat", 1, 0)


def test_files_that_the_job_does_not_know_are_counted_and_named(db: Database, job: UUID) -> None:
    found = send(db, job, ("cat/new.jpg", "something else"), ("s/errors.csv", "a list"), ("s/renamed.csv", "another"))
    assert (found.n_unknown, found.unknown) == (1, ["cat/new.jpg"])


def test_another_batch_of_that_id_is_not_added_to(db: Database, blobs: Blobs, job: UUID) -> None:
    other = make_job(db, make_upload(db, blobs, CONTENTS))
    batch = uuid4()
    send(db, job, ("dog/1.jpg", "p/1.jpg"), batch=batch)
    with pytest.raises(Conflict, match="a different batch"):
        send(db, other, ("dog/1.jpg", "p/1.jpg"), batch=batch)


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
