"""What is written to a file of the store is stored without a copy, and leaves nothing behind otherwise."""

import errno
import os
from pathlib import Path

import pytest

from core.storage import blobs as blobs_module
from core.storage import nameless_files
from core.storage.blobs import Blobs
from core.storage.nameless_files import NamelessFile

CONTENT = b"tar" * 1000


def test_a_blob_is_the_file_that_was_written(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path.as_uri())
    with blobs.open_file() as file:
        if not isinstance(file, NamelessFile):
            pytest.skip("this disk has no files without a name")
        file.write(CONTENT)
        assert list(blobs.list("uploads")) == []
        blobs.put("uploads/1/a.tar", file)
        assert os.fstat(file.fileno()).st_ino == (tmp_path / "uploads/1/a.tar").stat().st_ino
    assert bytes(blobs.get("uploads/1/a.tar")) == CONTENT


def test_a_file_that_is_not_stored_leaves_nothing_behind(tmp_path: Path) -> None:
    with Blobs(tmp_path.as_uri()).open_file() as file:
        file.write(CONTENT)
        file.flush()
    assert list(tmp_path.rglob("*")) == []


def test_a_disk_without_such_files_gets_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs_module, "open_nameless", lambda _: None)
    blobs = Blobs(tmp_path.as_uri())
    with blobs.open_file() as file:
        assert not isinstance(file, NamelessFile)
        file.write(CONTENT)
        file.seek(0)
        blobs.put("uploads/1/a.tar", file)
    assert bytes(blobs.get("uploads/1/a.tar")) == CONTENT


def test_a_folder_on_another_disk_gets_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(nameless_files.os, "link", link)
    blobs = Blobs(tmp_path.as_uri())
    with blobs.open_file() as file:
        file.write(CONTENT)
        file.seek(0)
        blobs.put("uploads/1/a.tar", file)
    assert bytes(blobs.get("uploads/1/a.tar")) == CONTENT


def test_what_a_full_disk_does_not_take_is_no_second_error_when_the_file_is_closed() -> None:
    file = NamelessFile(os.open("/dev/full", os.O_RDWR))
    file.write(CONTENT)
    file.close()
    assert file.closed
