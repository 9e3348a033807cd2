"""Kinds of archives by their content: compressed ones, odd beginnings and ends, single files."""

import bz2
import gzip
import io
import lzma
import os
import tarfile

import pytest
from backports import zstd

from core.formats.archives.entries import ArchiveError, File, Item, OtherArchive, SkippedEntry
from core.formats.archives.reading import read_archive
from tests.support.archives import make_raw_zip, make_zip
from tests.support.factories import make_tar

FILES = {"p/a.jpg": b"\0a" * 900, "p/b.jpg": os.urandom(3000)}
TAR = make_tar(FILES)
COMPRESSORS = {
    "gz": lambda data: gzip.compress(data, mtime=0),
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": lambda data: zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1}),
}


def read(data: bytes, name: str = "", max_image_bytes: int = 2**26) -> list[Item]:
    body = io.BytesIO(data)
    return list(read_archive(body.read, max_image_bytes=max_image_bytes, max_upload_bytes=2**34, name=name))


def contents(items: list[Item]) -> dict[str, bytes]:
    return {item.path: bytes(item.data or b"") for item in items if isinstance(item, File)}


@pytest.mark.parametrize("kind", COMPRESSORS)
@pytest.mark.parametrize(
    "arrange",
    [
        lambda pack: pack(TAR),
        lambda pack: pack(TAR[:1000]) + pack(TAR[1000:]),
        lambda pack: pack(TAR) + bytes(5000),
        lambda pack: pack(TAR) + b"bytes that are no stream",
    ],
    ids=["one stream", "several streams", "zeros behind", "bytes behind"],
)
def test_a_compressed_tar_is_read(kind: str, arrange) -> None:  # type: ignore[no-untyped-def]
    assert contents(read(arrange(COMPRESSORS[kind]))) == FILES


@pytest.mark.parametrize("kind", COMPRESSORS)
@pytest.mark.parametrize("name", ["photos/a.jpg", "a.JPG", "a"])
def test_a_single_compressed_picture_is_one_file_without_the_ending(kind: str, name: str) -> None:
    assert contents(read(COMPRESSORS[kind](FILES["p/b.jpg"]), f"{name}.{kind}")) == {
        name.rpartition("/")[2]: FILES["p/b.jpg"]
    }


def test_a_single_gzipped_picture_is_named_as_its_header_says() -> None:
    data = io.BytesIO()
    with gzip.GzipFile("a.jpg", "wb", fileobj=data) as file:
        file.write(b"\0a")
    assert contents(read(data.getvalue())) == {"a.jpg": b"\0a"}
    assert contents(read(gzip.compress(b"\0a"))) == {"picture": b"\0a"}


def test_a_single_picture_over_the_limit_is_named_with_its_true_size() -> None:
    assert read(gzip.compress(FILES["p/b.jpg"]), "b.jpg.gz", 2999) == [File("b.jpg", None, 3000)]


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_a_compressed_archive_that_is_cut_off_or_damaged_gets_a_sentence(kind: str) -> None:
    packed = COMPRESSORS[kind](os.urandom(200_000))
    for data in (packed[:-100_000], packed[:50_000] + bytes(100) + packed[50_100:]):
        with pytest.raises(ArchiveError, match=r"damaged|incomplete"):
            read(data)


def test_more_memory_than_the_web_has_for_a_dictionary_is_refused() -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 2**30}]
    with pytest.raises(ArchiveError, match="64 MiB of memory"):
        read(lzma.compress(TAR, filters=filters))
    options = {zstd.CompressionParameter.window_log: 30, zstd.CompressionParameter.enable_long_distance_matching: 1}
    compressor = zstd.ZstdCompressor(options=options)
    with pytest.raises(ArchiveError, match="64 MiB of memory"):
        read(compressor.compress(os.urandom(2**16)) + compressor.flush())


@pytest.mark.parametrize(
    "program", [b"MZ" + os.urandom(70_000), b"\x7fELF" + bytes(9000), b"#!/bin/sh\nexec unzip $0\n"]
)
def test_a_self_extracting_zip_is_read(program: bytes) -> None:
    assert contents(read(program + make_zip(FILES))) == FILES


def test_a_self_extracting_archive_of_another_kind_is_refused_by_name() -> None:
    with pytest.raises(OtherArchive, match="RAR"):
        read(b"MZ" + bytes(5000) + b"Rar!\x1a\x07\0" + bytes(5000))


@pytest.mark.parametrize("before", [b"PK00", b"PK\x07\x08"])
def test_a_zip_that_was_written_to_be_divided_is_read(before: bytes) -> None:
    assert contents(read(before + make_zip(FILES))) == FILES


def test_the_last_part_of_a_divided_zip_is_named_as_such() -> None:
    whole = bytearray(make_zip(FILES))
    whole[-18:-16] = b"\x03\0"
    with pytest.raises(ArchiveError, match="several parts"):
        read(bytes(whole))


@pytest.mark.parametrize("behind", [b"", bytes(3 * 2**20), b"\r\n"], ids=["nothing", "zeros", "a line"])
def test_a_zip_with_bytes_behind_it_is_read(behind: bytes) -> None:
    assert contents(read(make_zip(FILES) + behind)) == FILES


def test_a_tar_with_long_padding_is_read() -> None:
    assert contents(read(TAR + bytes(4 * 2**20))) == FILES


def test_tars_behind_each_other_are_one() -> None:
    assert contents(read(TAR + make_tar({"c.jpg": b"\0c"}))) == FILES | {"c.jpg": b"\0c"}


def test_bytes_behind_a_tar_are_skipped_and_named() -> None:
    items = read(TAR + b"no tar at all")
    assert contents(items) == FILES
    assert items[-1] == SkippedEntry("(behind the end of the tar)", "bytes that are no tar")


def test_an_entry_that_was_deleted_from_the_directory_is_no_file() -> None:
    data = make_raw_zip({b"kept.jpg": b"\0k", b"gone.jpg": b"\0g", b"last.jpg": b"\0l"}, [b"kept.jpg", b"last.jpg"])
    assert contents(read(data)) == {"kept.jpg": b"\0k", "last.jpg": b"\0l"}


def test_entries_inside_another_one_are_skipped() -> None:
    inner = make_raw_zip({b"inner.jpg": b"\0i"})
    whole = make_raw_zip({b"a.bin": inner, b"b.jpg": b"\0b"})
    at = whole.rindex(b"PK\x01\x02")
    offset = whole.index(inner).to_bytes(4, "little")
    lied = whole[: at + 42] + offset + whole[at + 46 :]
    items = read(lied)
    assert contents(items) == {"a.bin": inner}
    assert items[-1] == SkippedEntry("b.jpg", "an entry inside another one")


def test_a_tar_with_the_sums_of_old_programs_is_read() -> None:
    member = tarfile.TarInfo("é.jpg")
    block = bytearray(member.tobuf(tarfile.USTAR_FORMAT, "utf-8"))
    signed = sum(byte - 256 if byte > 127 else byte for byte in block[:148] + b" " * 8 + block[156:])
    block[148:156] = b"%06o\0 " % signed
    assert contents(read(bytes(block) + bytes(1024))) == {"é.jpg": b""}


def test_a_large_attribute_of_macos_ends_nothing() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path, content in FILES.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            member.pax_headers = {"LIBARCHIVE.xattr.com.apple.ResourceFork": "A=\n" * 100_000}
            tar.addfile(member, io.BytesIO(content))
    assert contents(read(out.getvalue())) == FILES


def test_a_path_that_is_longer_than_any_is_skipped_and_the_next_one_read() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in ("d/" * 50_000 + "a.jpg", "b.jpg"):
            tar.addfile(tarfile.TarInfo(path))
    skipped, file = read(out.getvalue())
    assert isinstance(skipped, SkippedEntry)
    assert skipped.reason == "a path of more than 4096 bytes"
    assert file == File("b.jpg", b"", 0)
