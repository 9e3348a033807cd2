"""Uploads that a training can learn from: which are offered, and with what numbers."""

from uuid import UUID

from core.base.database import Database
from core.cleanup import deletion
from core.jobs import jobs
from core.labels import labelled_uploads
from core.labels.labels import NewLabel, add_labels
from core.storage.blobs import Blobs
from tests.support.actors import as_owner, as_person
from tests.support.factories import make_job, make_labelled, make_training, make_upload, read_results, run_job


def names(db: Database) -> list[tuple[str, int, int]]:
    with db.read() as session:
        listed = labelled_uploads.list_labelled(session, as_owner(session)).items
        return [(one.name, one.n_images, one.n_labelled) for one in listed]


def test_complete_uploads_with_labels_are_listed_newest_first(db: Database, blobs: Blobs) -> None:
    make_labelled(db, blobs, n_each=3, name="old", more={"pets/other/1.jpg": b"what"})
    make_labelled(db, blobs, n_each=2, name="new")
    make_upload(db, blobs, name="unlabelled")
    make_upload(db, blobs, labelled=True, is_complete=False, name="arriving")
    assert names(db) == [("new", 4, 4), ("old", 7, 6)]


def test_an_upload_counts_when_a_person_named_one_of_its_pictures(db: Database, blobs: Blobs, version: int) -> None:
    job = make_job(db, make_upload(db, blobs, name="corrected"))
    run_job(db, job)
    assert names(db) == []
    with db.write() as session:
        add_labels(session, None, [NewLabel(read_results(db, job)[0].image_id, "neither")])
    assert names(db) == [("corrected", 4, 1)]


def test_the_list_goes_on_where_the_cursor_says(db: Database, blobs: Blobs) -> None:
    for n in range(3):
        make_labelled(db, blobs, n_each=1, name=str(n))
    with db.read() as session:
        first = labelled_uploads.list_labelled(session, as_owner(session), None, 2)
        second = labelled_uploads.list_labelled(session, as_owner(session), first.next, 2)
    assert [one.name for one in first.items + second.items] == ["2", "1", "0"]
    assert second.next is None


def test_uploads_of_others_are_offered_once_their_labels_count(db: Database, blobs: Blobs) -> None:
    files = {f"pets/{kind}s/{n}.jpg": f"{kind} {n}".encode() for kind in ("cat", "dog") for n in range(30)}
    upload = make_upload(db, blobs, files, labelled=True, for_training=True, by="ada")

    def offered(to: str) -> list[UUID]:
        with db.read() as session:
            return [one.uuid for one in labelled_uploads.list_labelled(session, as_person(db, to)).items]

    assert [offered("ada"), offered("bob"), offered("owner")] == [[upload], [], [upload]]
    make_training(db, upload, by="ada")
    assert offered("bob") == [upload]


def test_what_a_training_learned_from_is_known_after_it_was_deleted(db: Database, blobs: Blobs) -> None:
    upload = make_labelled(db, blobs)
    training = make_training(db, upload)
    with db.write() as session:
        job = jobs.get_job(session, training)
        deletion.delete_job(session, as_owner(session), training)
        assert [one.uuid for one in labelled_uploads.list_trained_on(session, job)] == [upload]
        assert labelled_uploads.find_uploads(session, [upload]) == []
