"""Archives are known by their first bytes, in the client as in the server."""

import bz2
import gzip
import io
import json
import lzma
import zipfile
from pathlib import Path

import pytest
from backports import zstd

from core.formats.archives import kinds
from pawsort.uploads import archive_kinds
from pawsort.uploads.archive_kinds import find_unsupported, is_archive
from tests.support.archives import make_old_tar
from tests.support.factories import draw_picture, make_tar

ROOT = Path(__file__).parents[3]


def make_zip() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("a.jpg", draw_picture())
    return data.getvalue()


TAR = make_tar({"a.jpg": draw_picture()})
SUPPORTED = {
    "tar": TAR,
    "old tar": make_old_tar(),
    "empty tar": bytes(10240),
    "tar.gz": gzip.compress(TAR),
    "tar.bz2": bz2.compress(TAR),
    "tar.xz": lzma.compress(TAR),
    "tar.zst": zstd.compress(TAR),
    "zip": make_zip(),
    "PK00": b"PK00" + make_zip(),
    "divided zip": b"PK\x07\x08" + make_zip(),
    "self-extracting zip": b"MZ" + bytes(3000) + make_zip(),
}
UNSUPPORTED = {
    "7z": b"7z\xbc\xaf\x27\x1c" + bytes(100),
    "RAR": b"Rar!\x1a\x07\x01\0" + bytes(100),
    "LZ4": b"\x04\x22\x4d\x18" + bytes(100),
    "LHA": b"\x20\x30-lh5-" + bytes(100),
    "CAB": b"MSCF" + bytes(100),
    "ISO": bytes(0x8001) + b"CD001" + bytes(100),
}


def test_client_and_server_have_the_same_table() -> None:
    assert [(at, mark) for at, mark, _ in kinds.READ_MARKS] == list(archive_kinds.SUPPORTED_MARKS)
    assert kinds.OTHER_MARKS == archive_kinds.OTHER_MARKS
    assert kinds.PROGRAM_MARKS == archive_kinds.PROGRAM_MARKS


def test_the_page_has_the_same_table() -> None:
    script = (ROOT / "web/static/upload/input/archive_marks.js").read_text("utf-8")
    in_page = json.loads(script.partition("ARCHIVE_MARKS = ")[2].strip().removesuffix(";"))
    marks = [(at, mark) for at, mark, _ in (*kinds.READ_MARKS, *kinds.OTHER_MARKS)]
    assert [(at, mark.encode("latin-1")) for at, mark in in_page] == marks


@pytest.mark.parametrize("kind", SUPPORTED)
@pytest.mark.parametrize("name", ["photos", "photos.jpg"])
def test_an_archive_is_known_whatever_its_name(tmp_path: Path, kind: str, name: str) -> None:
    (tmp_path / name).write_bytes(SUPPORTED[kind])
    assert is_archive(tmp_path / name)
    assert find_unsupported(tmp_path / name) is None
    assert kinds.find_kind(SUPPORTED[kind]) or kinds.is_program(SUPPORTED[kind])


@pytest.mark.parametrize("kind", UNSUPPORTED)
@pytest.mark.parametrize("prefix", [b"", b"MZ" + bytes(3000)], ids=["plain", "self-extracting"])
def test_an_archive_that_is_not_unpacked_has_a_name(tmp_path: Path, kind: str, prefix: bytes) -> None:
    if prefix and kind not in ("7z", "RAR"):
        pytest.skip("does not extract itself")
    (tmp_path / "photos.tar").write_bytes(prefix + UNSUPPORTED[kind])
    assert find_unsupported(tmp_path / "photos.tar") == kind
    assert not is_archive(tmp_path / "photos.tar")


@pytest.mark.parametrize("data", [b"", draw_picture(), b"BM a text", b"MZ" + bytes(9000), b"#!/bin/sh\necho a\n"])
def test_a_file_that_is_no_archive_is_none_whatever_its_name(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(data)
    assert not is_archive(tmp_path / "a.zip")
    assert find_unsupported(tmp_path / "a.zip") is None


def test_a_folder_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "folder.zip").mkdir()
    assert not is_archive(tmp_path / "folder.zip")
    assert find_unsupported(tmp_path / "folder.zip") is None
