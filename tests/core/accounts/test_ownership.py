"""Whose uploads and labels are, where several people work on the same pictures."""

import io
from uuid import UUID

import pytest
from sqlalchemy import select

from core.accounts.rights import Actor
from core.base.database import Database
from core.base.errors import Forbidden
from core.base.states import LabelSource
from core.cleanup import deletion
from core.formats.shards import index_shard
from core.ingest import shard_rows
from core.jobs import jobs
from core.models import registry
from core.orm.labels import Label
from core.orm.uploads import Upload
from core.storage.blobs import Blobs
from tests.support.actors import as_owner, as_person
from tests.support.factories import make_job, make_manifest, make_tar, make_upload

DATABASES = ("sqlite",)  # nothing here depends on the kind
LABELLED = {"pets/cats/1.jpg": b"cat 1"}


@pytest.fixture
def upload(db: Database, blobs: Blobs) -> UUID:
    """An upload of Ada's."""
    with db.write() as session:
        registry.register_shipped(session, [make_manifest()])
    return make_upload(db, blobs, by="ada")


def delete(db: Database, who: Actor, job: UUID) -> None:
    with db.write() as session:
        deletion.delete_job(session, who, job)


def is_there(db: Database, upload: UUID) -> bool:
    with db.read() as session:
        return session.scalars(select(Upload.deleted_at).where(Upload.uuid == upload)).one() is None


def test_the_last_job_of_somebody_else_leaves_an_upload_there(db: Database, upload: UUID) -> None:
    bobs = make_job(db, upload, by="bob")
    delete(db, as_person(db, "bob"), bobs)
    assert is_there(db, upload)


def test_an_upload_whose_owner_has_deleted_the_own_job_goes_with_the_last_one(db: Database, upload: UUID) -> None:
    adas, bobs = make_job(db, upload, by="ada"), make_job(db, upload, by="bob")
    delete(db, as_person(db, "ada"), adas)
    assert is_there(db, upload), "Bob's job needs it"
    delete(db, as_person(db, "bob"), bobs)
    assert not is_there(db, upload)


def test_what_goes_along_is_said_before(db: Database, upload: UUID) -> None:
    bobs = make_job(db, upload, by="bob")
    with db.read() as session:
        job = jobs.get_job(session, bobs)
        assert deletion.list_deleted_with(session, as_person(db, "bob"), job) == []
        assert [one.uuid for one in deletion.list_deleted_with(session, as_owner(db), job)] == [upload]


def test_folder_labels_belong_to_the_person_who_sends_the_shard(db: Database, blobs: Blobs) -> None:
    upload = make_upload(db, blobs, LABELLED, labelled=True, is_complete=False, by="ada")
    index = index_shard(io.BytesIO(make_tar({"pets/dogs/2.jpg": b"dog 2"})).read, max_image_bytes=2**20)
    ada, bob, admin = as_person(db, "ada"), as_person(db, "bob"), as_owner(db)
    with pytest.raises(Forbidden, match="Only the person who owns upload"), db.write() as session:
        shard_rows.add_shard(session, bob, upload, 1, index, "bobs", 2**40)
    with db.write() as session:
        shard_rows.add_shard(session, admin, upload, 1, index, "admins", 2**40)
        shard_rows.complete_upload(session, ada, upload, partial=True)
        given = session.execute(select(Label.label, Label.user_id).where(Label.source == LabelSource.FOLDER)).all()
    assert dict(given) == {"cat": ada.user_id, "dog": admin.user_id}
