"""A backup restored into PostgreSQL."""

from pathlib import Path

import pytest
from sqlalchemy import select

from core.base.config import Settings
from core.base.database import Database
from core.base.errors import Conflict
from core.operations.backup.backup_folder import BackupFolder
from core.operations.backup.making import back_up
from core.orm.jobs import Job
from core.storage.blobs import Blobs
from tests.support.factories import make_job, make_upload
from tests.support.restoring import digests, restore
from tests.support.used_installation import use_installation

DATABASES = ("postgresql",)
pytestmark = pytest.mark.folder


def test_a_database_in_use_is_replaced_only_when_told(
    settings: Settings, db: Database, blobs: Blobs, tmp_path: Path
) -> None:
    folder = BackupFolder(tmp_path / "backups")
    use_installation(db, blobs)
    back_up(db, blobs, folder)
    before = digests(db)
    later = make_job(db, make_upload(db, blobs))
    with pytest.raises(Conflict, match="in use already"):
        restore(settings, folder, tmp_path / "there", settings.sql_url)
    restore(settings, folder, tmp_path / "there", settings.sql_url, replaces=True)
    assert digests(db) == before
    with db.read() as session:
        assert session.scalar(select(Job.id).where(Job.uuid == later)) is None
