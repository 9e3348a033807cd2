"""Backups of an installation in use: whole, verified, shared, and safe from whoever deletes."""

import sqlite3
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from core.base.config import Settings
from core.base.database import Database
from core.base.errors import Conflict
from core.cleanup import deletion, purge
from core.jobs import jobs
from core.operations.backup import holds
from core.operations.backup.backup_folder import BackupFolder
from core.operations.backup.making import Keep, back_up
from core.orm.uploads import Image
from core.storage.blobs import Blobs
from instance.admin.backup import KEPT
from migrations.run import check_schema
from pawsort.api.errors import ClientError
from tests.support.actors import as_owner
from tests.support.factories import make_job, make_upload, run_job
from tests.support.restoring import digests, restore
from tests.support.used_installation import use_installation

pytestmark = pytest.mark.folder


@pytest.fixture
def folder(tmp_path: Path) -> BackupFolder:
    return BackupFolder(tmp_path / "backups")


def contents(blobs: Blobs) -> dict[str, bytes]:
    return {key: bytes(blobs.get(key)) for key, _ in blobs.list("")}


def test_a_restored_backup_has_every_row_and_blob_and_never_repeats_an_id(
    settings: Settings, db: Database, blobs: Blobs, folder: BackupFolder, tmp_path: Path
) -> None:
    use_installation(db, blobs)
    back_up(db, blobs, folder)
    there = restore(settings, folder, tmp_path / "there")
    restored = Database(there.sql_url)
    assert digests(restored) == digests(db)
    assert contents(Blobs(there.store_url)) == contents(blobs)
    check_schema(restored)
    with db.read() as session:  # those of the deleted upload came last
        last_image = session.scalars(select(func.max(Image.id))).one()
    make_upload(restored, Blobs(there.store_url))
    with restored.read() as session:
        assert session.scalars(select(func.max(Image.id))).one() == last_image + 9 + 4
    restored.close()


def test_a_job_under_way_continues_in_the_restored_installation(
    settings: Settings, db: Database, blobs: Blobs, folder: BackupFolder, tmp_path: Path
) -> None:
    use_installation(db, blobs)
    job = make_job(db, make_upload(db, blobs))
    back_up(db, blobs, folder)
    run_job(db, job)
    there = restore(settings, folder, tmp_path / "there")
    restored = Database(there.sql_url)
    assert state(restored, job) == "queued"
    run_job(restored, job)
    assert state(restored, job) == "done"
    restored.close()


def state(db: Database, job: UUID) -> str:
    with db.read() as session:
        return jobs.get_job(session, job).state


def test_what_a_running_backup_needs_is_not_deleted(db: Database, blobs: Blobs, folder: BackupFolder) -> None:
    use_installation(db, blobs)
    job = make_job(db, make_upload(db, blobs))
    before = contents(blobs)
    with holds.keeping_blobs(db, str(folder.path)):
        with db.write() as session:
            deletion.delete_job(session, as_owner(session), job)
        assert purge.purge_all(db, blobs) == 0
        assert purge.delete_orphans(db, blobs, older_than=2**40) == 0
        assert contents(blobs) == before
    assert purge.purge_all(db, blobs) == 2
    assert len(contents(blobs)) < len(before)


def test_the_hold_of_a_killed_backup_ends(db: Database) -> None:
    with holds.keeping_blobs(db, "somewhere"):
        assert holds.is_backup_running(db)
        with db.write() as session:
            session.execute(text("UPDATE backups SET lease_until = started_at"))
        assert not holds.is_backup_running(db)


def test_later_backups_copy_what_is_new_and_older_ones_are_deleted(
    db: Database, blobs: Blobs, folder: BackupFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_installation(db, blobs)
    first = back_up(db, blobs, folder)
    folder.path.joinpath(folder.names()[0]).rename(folder.path / "20260101T000000Z")
    job = make_job(db, make_upload(db, blobs, name="later"))
    read: list[str] = []
    real = Blobs.get
    monkeypatch.setattr(Blobs, "get", lambda self, key: read.append(key) or real(self, key))
    second = back_up(db, blobs, folder, Keep(n_days=2, n_weeks=0))
    assert set(read) == second.blobs.keys() - first.blobs.keys()
    assert len(folder.names()) == 2
    with db.write() as session:
        deletion.delete_job(session, as_owner(session), job)
    purge.purge_all(db, blobs)
    folder.path.joinpath(folder.names()[1]).rename(folder.path / "20260102T000000Z")
    back_up(db, blobs, folder, Keep(n_days=1, n_weeks=0))
    assert len(folder.names()) == 1
    assert {key for key, _ in folder.blobs.list("")} == first.blobs.keys()


def test_a_blob_that_is_missing_fails_the_backup(db: Database, blobs: Blobs, folder: BackupFolder) -> None:
    use_installation(db, blobs)
    (shard, *_) = [key for key, _ in blobs.list("uploads/")]
    blobs.delete([shard])
    with pytest.raises(Conflict, match="1 blobs are missing or damaged"):
        back_up(db, blobs, folder)
    assert folder.names() == []
    assert not holds.is_backup_running(db)


def test_a_damaged_backup_is_refused_before_anything_changes(
    settings: Settings, db: Database, blobs: Blobs, folder: BackupFolder, tmp_path: Path
) -> None:
    use_installation(db, blobs)
    back_up(db, blobs, folder)
    stored = next(path for path in (folder.path / "blobs" / "uploads").rglob("*.tar"))
    stored.write_bytes(stored.read_bytes()[:-1] + b"\1")
    with pytest.raises(Conflict, match="is damaged: 1 of its files"):
        restore(settings, folder, tmp_path / "there")
    assert not (tmp_path / "there").exists()


def test_an_installation_in_use_is_replaced_only_when_told_and_kept_aside(
    settings: Settings, db: Database, blobs: Blobs, folder: BackupFolder, tmp_path: Path
) -> None:
    use_installation(db, blobs)
    back_up(db, blobs, folder)
    there = restore(settings, folder, tmp_path / "there")
    with pytest.raises(ClientError, match="is in use already"):
        restore(settings, folder, tmp_path / "there")
    restored = Database(there.sql_url)
    make_job(restored, make_upload(restored, Blobs(there.store_url)))
    assert digests(restored) != digests(db)
    restored.close()
    restore(settings, folder, tmp_path / "there", replaces=True)
    assert digests(Database(there.sql_url)) == digests(db)
    with sqlite3.connect(tmp_path / "there" / f"pawsort.db{KEPT}") as kept:
        assert kept.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    kept.close()


def test_two_backups_into_one_folder_do_not_meet(db: Database, blobs: Blobs, folder: BackupFolder) -> None:
    with folder.locked(), pytest.raises(Conflict, match="Another backup"):
        back_up(db, blobs, folder)
