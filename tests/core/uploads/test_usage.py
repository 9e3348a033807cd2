"""Usage and quotas: counted with each shard, given back with the upload."""

from uuid import UUID, uuid4

import pytest

from core.accounts import accounts
from core.base.database import Database
from core.cleanup import deletion, purge
from core.formats.shards import Entry, ShardIndex
from core.ingest import shard_rows
from core.storage.blobs import Blobs
from core.uploads import uploads, usage
from core.uploads.usage import NO_QUOTA, UNLIMITED, Quota, QuotaExceeded
from tests.support.actors import as_owner, as_person

SHARD_BYTES, SHARD_IMAGES = 10_240, 3


@pytest.fixture
def maya(db: Database) -> int:
    with db.write() as session:
        return accounts.get_or_create_user(session, "maya").id


@pytest.fixture
def upload(db: Database, maya: int) -> UUID:
    uuid = uuid4()
    with db.write() as session:
        uploads.create_upload(session, as_person(session, "maya"), uuid, "photos")
    return uuid


def send(db: Database, upload: UUID, seq: int, quota: Quota = NO_QUOTA) -> None:
    entries = tuple(Entry(f"{seq}/{n}.jpg", 512, 1, bytes(32), None) for n in range(SHARD_IMAGES))
    index = ShardIndex(entries, SHARD_BYTES, bytes([seq]) * 32)
    with db.write() as session:
        shard_rows.add_shard(
            session, as_person(session, "maya"), upload, seq, index, f"uploads/{upload}/{uuid4()}", 2**40, quota=quota
        )


def used(db: Database, user_id: int, default: Quota = NO_QUOTA) -> usage.PersonUsage:
    with db.read() as session:
        return usage.read_usage(session, user_id, default)


def test_shards_count_once_and_are_given_back_when_purged(db: Database, blobs: Blobs, maya: int, upload: UUID) -> None:
    for seq in (0, 1, 1):
        send(db, upload, seq)
    assert used(db, maya)[:2] == (2 * SHARD_BYTES, 2 * SHARD_IMAGES)
    with db.write() as session:
        deletion.delete_upload(session, as_owner(session), upload)
    assert used(db, maya).n_bytes == 2 * SHARD_BYTES
    purge.purge_all(db, blobs)
    purge.purge_all(db, blobs)
    assert used(db, maya)[:2] == (0, 0)


@pytest.mark.parametrize("quota", [Quota(n_bytes=2 * SHARD_BYTES), Quota(n_images=2 * SHARD_IMAGES)])
def test_a_shard_beyond_the_quota_leaves_nothing(db: Database, maya: int, upload: UUID, quota: Quota) -> None:
    send(db, upload, 0, quota)
    send(db, upload, 1, quota)
    with pytest.raises(QuotaExceeded, match="You can have up to"):
        send(db, upload, 2, quota)
    assert used(db, maya)[:2] == (2 * SHARD_BYTES, 2 * SHARD_IMAGES)
    with db.read() as session:
        assert uploads.get_upload(session, upload).n_shards == 2


def test_a_quota_of_ones_own_replaces_that_of_the_installation(db: Database, maya: int, upload: UUID) -> None:
    few = Quota(n_images=1)
    with db.write() as session:
        usage.set_quota(session, as_owner(session), maya, Quota(n_images=UNLIMITED, n_bytes=SHARD_BYTES))
    send(db, upload, 0, few)
    assert (used(db, maya, few).images_left, used(db, maya, few).bytes_left) == (None, 0)
    with pytest.raises(QuotaExceeded, match=r"up to 0\.0 MB of files"):
        send(db, upload, 1, few)


def test_room_is_asked_for_before_bytes_come(db: Database, maya: int, upload: UUID) -> None:
    quota = Quota(n_bytes=SHARD_BYTES + 5)
    send(db, upload, 0, quota)
    with db.read() as session:
        usage.check_room(session, maya, 5, quota)
        with pytest.raises(QuotaExceeded):
            usage.check_room(session, maya, 6, quota)
        usage.check_room(session, None, 2**60, quota)
