"""Originals that are discarded once they are classified: when, what stays, and whatever is killed in between."""

import io
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from PIL import Image as Picture
from sqlalchemy import select, update

from core.base.database import Database
from core.base.errors import BlobMissing, Conflict, ErrorCode, Invalid, NotFound
from core.cleanup import deletion, discard_originals, purge
from core.ingest import shard_rows
from core.jobs import classify_jobs, job_states, retry
from core.labels.labels import NewLabel, add_labels
from core.orm.uploads import Image, Shard, Upload
from core.storage.blobs import Blobs
from core.training import datasets
from core.uploads import stored_images, uploads
from tests.support.actors import as_owner
from tests.support.decoders import shared_pool
from tests.support.factories import (
    draw_picture,
    make_job,
    make_labelled,
    make_training,
    make_upload,
    read_results,
    run_job,
)

pytestmark = pytest.mark.usefixtures("version")

FILES = {"p/wide.jpg": draw_picture(1, (1000, 400)), "p/small.png": draw_picture(2, format="PNG"), "p/bad.jpg": b"no"}
SAID = {"p/bad.jpg": ErrorCode.NOT_AN_IMAGE}


@pytest.fixture
def upload(db: Database, blobs: Blobs) -> UUID:
    """A complete upload whose originals are to be discarded; nothing is classified yet."""
    uuid = make_upload(db, blobs, FILES)
    with db.write() as session:
        session.execute(update(Upload).values(discards=True))
    return uuid


@pytest.fixture
def job(db: Database, upload: UUID) -> UUID:
    """The job over it, done; one file could not be read."""
    job = make_job(db, upload)
    run_job(db, job, SAID)
    return job


def discard(db: Database, blobs: Blobs) -> int:
    return discard_originals.mark_ready(db) + discard_originals.remove_originals(db, blobs, shared_pool())


def keys(blobs: Blobs) -> list[str]:
    return sorted(key.rpartition(".")[2] for key, _ in blobs.list("uploads/"))


def small(db: Database, blobs: Blobs, path: str) -> bytes:
    with db.read() as session:
        image = stored_images.get_image(session, session.scalars(select(Image.id).where(Image.path == path)).one())
    assert image.thumbnails_key is not None
    return discard_originals.read_thumbnail(blobs, image.thumbnails_key, image.ordinal)


def test_what_stays_are_results_and_small_pictures_of_what_could_be_read(db: Database, blobs: Blobs, job: UUID) -> None:
    before = read_results(db, job)
    assert discard(db, blobs) == 2
    assert read_results(db, job) == before
    assert keys(blobs) == ["small"]
    assert Picture.open(io.BytesIO(small(db, blobs, "p/wide.jpg"))).size == (512, 205)
    unenlarged = Picture.open(io.BytesIO(small(db, blobs, "p/small.png")))
    assert (unenlarged.format, unenlarged.size) == ("JPEG", (64, 48))
    with pytest.raises(NotFound):
        small(db, blobs, "p/bad.jpg")
    with db.read() as session:
        upload = session.scalars(select(Upload)).one()
        assert discard_originals.is_finished(session, upload)
        assert upload.n_bytes == sum(len(blobs.get(key)) for key, _ in blobs.list("uploads/"))
    assert discard(db, blobs) == 0
    assert purge.find_missing(db, blobs) == list(purge.find_orphans(db, blobs, older_than=2e9)) == []


@pytest.mark.parametrize("state", ["ready", "cancelled"])
def test_nothing_is_discarded_before_every_file_of_a_job_has_its_result(
    db: Database, blobs: Blobs, upload: UUID, state: str
) -> None:
    job = make_job(db, upload)
    if state == "cancelled":
        with db.write() as session:
            job_states.cancel_job(session, as_owner(session), job)
    assert discard(db, blobs) == 0
    assert keys(blobs) == ["tar"]


def test_an_upload_that_still_arrives_is_not_discarded(db: Database, blobs: Blobs) -> None:
    upload = make_upload(db, blobs, FILES, is_complete=False)
    with db.write() as session:
        session.execute(update(Upload).values(discards=True))
    run_job(db, make_job(db, upload), SAID)
    assert discard(db, blobs) == 0
    with db.write() as session:
        shard_rows.complete_upload(session, as_owner(session), upload, 1)
    assert discard(db, blobs) == 2


def test_another_job_over_the_same_upload_is_waited_for(db: Database, blobs: Blobs, upload: UUID, job: UUID) -> None:
    second = make_job(db, upload)
    assert discard(db, blobs) == 0
    run_job(db, second, SAID)
    assert discard(db, blobs) == 2


def test_a_training_is_waited_for(db: Database, blobs: Blobs, job: UUID) -> None:
    training = make_training(db, make_labelled(db, blobs))
    assert discard(db, blobs) == 0
    with db.write() as session:
        job_states.cancel_job(session, as_owner(session), training)
    assert discard(db, blobs) == 2


def test_afterwards_nothing_is_classified_again_and_a_sentence_says_why(
    db: Database, blobs: Blobs, upload: UUID, job: UUID
) -> None:
    discard(db, blobs)
    with db.write() as session, pytest.raises(Conflict, match=r"originals of upload .* were discarded on"):
        classify_jobs.create_classify_job(session, as_owner(session), uuid4(), upload)
    with db.write() as session, pytest.raises(Conflict, match="upload them again"):
        retry.retry_job(session, as_owner(session), job)
    with db.write() as session:
        assert classify_jobs.create_classify_job(session, as_owner(session), job, upload)[0].uuid == job, (
            "the same call again stays harmless"
        )


def test_a_retry_that_comes_first_wins(db: Database, blobs: Blobs, job: UUID) -> None:
    with db.write() as session:
        retry.retry_job(session, as_owner(session), job)
    assert discard(db, blobs) == 0
    run_job(db, job)
    assert discard(db, blobs) == 2


def test_what_has_no_original_teaches_nothing(db: Database, blobs: Blobs, job: UUID) -> None:
    with db.write() as session:
        add_labels(session, None, [NewLabel(row.image_id, "cat") for row in read_results(db, job)[:2]])
    with db.read() as session:
        assert len(datasets.find_labelled(session).contents) == 2
    discard(db, blobs)
    with db.read() as session:
        assert datasets.find_labelled(session).contents == []


@pytest.mark.parametrize("step", ["store", "name", "remove", "say"])
def test_a_kill_between_two_steps_leaves_the_rest_to_whoever_looks_next(
    db: Database, blobs: Blobs, job: UUID, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException): ...

    def then_die(call: Callable[..., Any]) -> Callable[..., Any]:
        def dying(*args: Any, **options: Any) -> Any:
            call(*args, **options)
            raise Killed

        return dying

    with monkeypatch.context() as patch:
        if step == "store":
            patch.setattr(blobs, "put", then_die(blobs.put))
        elif step == "name":
            patch.setattr(discard_originals, "_keep_thumbnails", then_die(discard_originals._keep_thumbnails))
        elif step == "remove":
            patch.setattr(blobs, "delete", then_die(blobs.delete))
        else:
            patch.setattr(discard_originals, "_remove", then_die(discard_originals._remove))
        with pytest.raises(Killed):
            discard(db, blobs)
    discard(db, blobs)
    assert small(db, blobs, "p/wide.jpg")
    blobs.delete(purge.find_orphans(db, blobs, older_than=2e9))
    assert keys(blobs) == ["small"]


def test_of_two_that_discard_at_once_one_keeps_its_pictures(
    db: Database, blobs: Blobs, job: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = blobs.put

    def meanwhile_another(key: str, data: bytes) -> None:
        put(key, data)
        monkeypatch.setattr(blobs, "put", put)
        discard(db, blobs)

    discard_originals.mark_ready(db)
    monkeypatch.setattr(blobs, "put", meanwhile_another)
    discard(db, blobs)
    assert keys(blobs) == ["small"]
    assert small(db, blobs, "p/wide.jpg")


def test_deleting_takes_the_small_pictures_along(db: Database, blobs: Blobs, job: UUID) -> None:
    discard(db, blobs)
    with db.write() as session:
        deletion.delete_job(session, as_owner(session), job)
    purge.purge_all(db, blobs)
    assert keys(blobs) == []


def test_a_shard_whose_bytes_are_lost_does_not_hold_up_the_others(db: Database, blobs: Blobs, job: UUID) -> None:
    blobs.delete([key for key, _ in blobs.list("uploads/")])
    assert discard(db, blobs) == 2
    with pytest.raises(NotFound):
        small(db, blobs, "p/wide.jpg")


def test_labelled_pictures_are_kept(db: Database) -> None:
    with db.write() as session, pytest.raises(Invalid, match="learn from pictures that are kept"):
        uploads.create_upload(session, as_owner(session), uuid4(), "pets", labelled=True, discards=True)


def test_every_shard_of_many_is_dealt_with_in_slices_of_time(db: Database, blobs: Blobs, job: UUID) -> None:
    discard_originals.mark_ready(db)
    assert discard_originals.remove_originals(db, blobs, shared_pool(), max_s=0) == 0
    with db.read() as session:
        assert not any(shard.is_gone for shard in session.scalars(select(Shard)))
    assert discard_originals.remove_originals(db, blobs, shared_pool()) == 1
    with pytest.raises(BlobMissing):
        blobs.get(read_key(db))


def read_key(db: Database) -> str:
    with db.read() as session:
        return session.scalars(select(Shard.blob_key)).one()
