"""Room that is kept for deleting when the disk is full."""

import shutil
from collections import namedtuple
from pathlib import Path

import pytest
from sqlalchemy import text

from core.base.connections.sqlite import NEEDED_BYTES, RESERVE_BYTES
from core.base.database import Database

DATABASES = ("sqlite",)
Usage = namedtuple("Usage", "total used free")


def test_what_deletes_gets_the_reserve_when_the_disk_is_full(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reserve = tmp_path / "pawsort.db-reserve"
    db.keep_reserve()
    assert reserve.stat().st_size == RESERVE_BYTES
    with db.write(deletes=True) as session:
        session.execute(text("SELECT 1"))
    assert reserve.exists()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, NEEDED_BYTES - 1))
    with db.write():
        assert reserve.exists()
    with db.write(deletes=True):
        assert not reserve.exists()
    db.keep_reserve()
    assert not reserve.exists()
