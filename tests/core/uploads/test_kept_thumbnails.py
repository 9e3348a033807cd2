"""Thumbnails of large files are kept; those of small ones, of discarded and deleted ones are not."""

from uuid import UUID

import pytest
from sqlalchemy import select

from core.base.database import Database
from core.base.errors import DiskFull
from core.cleanup import deletion, discard_originals, purge
from core.orm.uploads import Image, Upload
from core.storage.blobs import THUMBNAILS, Blobs
from core.uploads import kept_thumbnails, stored_images
from core.uploads.stored_images import StoredImage
from tests.support.actors import as_owner
from tests.support.decoders import shared_pool
from tests.support.factories import draw_picture, make_job, make_upload, run_job

pytestmark = pytest.mark.usefixtures("version")

LARGE = draw_picture(1) + bytes(kept_thumbnails.MIN_FILE_BYTES)  # padded, as some cameras do
FILES = {"large.jpg": LARGE, "small.jpg": draw_picture(2)}
JPEG = b"a small picture"


@pytest.fixture
def upload(db: Database, blobs: Blobs) -> UUID:
    return make_upload(db, blobs, FILES)


@pytest.fixture
def job(db: Database, upload: UUID) -> UUID:
    job = make_job(db, upload)
    run_job(db, job)
    return job


def find_image(db: Database, path: str) -> StoredImage:
    with db.read() as session:
        return stored_images.get_image(session, session.scalars(select(Image.id).where(Image.path == path)).one())


def kept(blobs: Blobs) -> list[str]:
    return [key for key, _ in blobs.list(THUMBNAILS)]


def test_a_thumbnail_of_a_large_file_is_kept_for_its_size(db: Database, blobs: Blobs, upload: UUID) -> None:
    image = find_image(db, "large.jpg")
    assert kept_thumbnails.find(blobs, image, 256) is None
    kept_thumbnails.keep(db, blobs, image, 256, JPEG)
    assert kept_thumbnails.find(blobs, image, 256) == JPEG
    assert kept_thumbnails.find(blobs, image, 512) is None


@pytest.mark.parametrize(("path", "jpeg"), [("small.jpg", JPEG), ("large.jpg", bytes(len(LARGE) // 8 + 1))])
def test_what_would_take_much_room_is_not_kept(
    db: Database, blobs: Blobs, upload: UUID, path: str, jpeg: bytes
) -> None:
    kept_thumbnails.keep(db, blobs, find_image(db, path), 256, jpeg)
    assert kept(blobs) == []


def test_a_full_store_keeps_nothing_and_fails_nothing(
    db: Database, blobs: Blobs, upload: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(n_bytes: int) -> None:
        raise DiskFull("no room")

    monkeypatch.setattr(blobs, "check_room", refuse)
    kept_thumbnails.keep(db, blobs, find_image(db, "large.jpg"), 256, JPEG)
    assert kept(blobs) == []


def test_what_was_deleted_while_its_thumbnail_was_made_is_not_kept(db: Database, blobs: Blobs, job: UUID) -> None:
    image = find_image(db, "large.jpg")
    with db.write() as session:
        deletion.delete_job(session, as_owner(session), job)
    kept_thumbnails.keep(db, blobs, image, 256, JPEG)
    assert kept(blobs) == []


def test_they_go_with_their_upload(db: Database, blobs: Blobs, job: UUID) -> None:
    kept_thumbnails.keep(db, blobs, find_image(db, "large.jpg"), 256, JPEG)
    with db.write() as session:
        deletion.delete_job(session, as_owner(session), job)
    purge.purge_all(db, blobs)
    assert kept(blobs) == []


def test_they_go_with_discarded_originals(db: Database, blobs: Blobs, upload: UUID) -> None:
    with db.write() as session:
        session.scalars(select(Upload)).one().discards = True
    run_job(db, make_job(db, upload))
    kept_thumbnails.keep(db, blobs, find_image(db, "large.jpg"), 1024, JPEG)
    discard_originals.mark_ready(db)
    discard_originals.remove_originals(db, blobs, shared_pool())
    assert kept(blobs) == []


def test_only_those_without_an_upload_are_orphans(db: Database, blobs: Blobs, upload: UUID) -> None:
    kept_thumbnails.keep(db, blobs, find_image(db, "large.jpg"), 256, JPEG)
    stray = f"{THUMBNAILS}{UUID(int=1)}/0-256-2.jpg"
    blobs.put(stray, JPEG)
    assert list(purge.find_orphans(db, blobs, older_than=2e9)) == [stray]
