"""Archives of people: tar, tar.gz and zip, whole, odd and hostile."""

import bz2
import gzip
import io
import os
import random
import shutil
import struct
import subprocess
import tarfile
import time
import zipfile
import zlib
from pathlib import Path

import pytest

from core.base.errors import TooLarge
from core.formats.archives import budget, zip_files
from core.formats.archives.entries import ArchiveError, File, SkippedEntry
from core.formats.archives.reading import read_archive
from core.formats.shard_packing import ShardPacker
from core.formats.shards import MAX_BYTES, MAX_FILES, index_shard
from tests.support.bodies import Body

NAMES = [
    "photos/a.jpg",
    "photos/Фото.jpg",
    "photos/照片/猫.jpg",
    "photos/😺.jpg",
    "photos/" + "n" * 251 + ".jpg",
    "photos/A.jpg",
    "/".join("abcdefghij") + "/deep.jpg",
]


BY_HEADERS, BY_DIRECTORY = 0, zip_files.KEPT_BYTES


@pytest.fixture(autouse=True, params=[BY_DIRECTORY, BY_HEADERS], ids=["kept", "streamed"])
def kept_bytes(request, monkeypatch):
    """Read zips both ways: kept on disk until their directory has come, and too large for that."""
    monkeypatch.setattr(zip_files, "KEPT_BYTES", request.param)
    return request.param


def content_of(name):
    return b"\0\xff" + name.encode() * 50


def index_of(shard):
    with shard:
        return index_shard(shard.read, max_image_bytes=2**26)


def read(data, *, piece=None, max_image_bytes=2**26, max_upload_bytes=2**34):
    return list(
        read_archive(Body(data, piece).read, max_image_bytes=max_image_bytes, max_upload_bytes=max_upload_bytes)
    )


def read_until_fault(data, *, max_upload_bytes=2**34):
    """What came before the fault, and the fault."""
    files = read_archive(Body(data).read, max_image_bytes=2**26, max_upload_bytes=max_upload_bytes)
    found = []
    with pytest.raises((ArchiveError, TooLarge)) as caught:
        found.extend(_into(found, files))
    return found, caught.value


def _into(found, files):
    """Append one by one, so that what came before an error is there."""
    for file in files:
        found.append(file)
    return ()


def make_tar(files, mode="w", **options):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, **options) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


class Pipe(io.RawIOBase):
    """A file that cannot seek: zipfile then writes sizes behind the content."""

    def __init__(self):
        self.written = bytearray()

    def writable(self):
        return True

    def write(self, data):
        self.written += data
        return len(data)


def make_zip(files, method=zipfile.ZIP_DEFLATED, *, is_streamed=False):
    out = Pipe() if is_streamed else io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return bytes(out.written) if is_streamed else out.getvalue()


WRITERS = {
    "tar": make_tar,
    "tar, GNU": lambda files: make_tar(files, format=tarfile.GNU_FORMAT),
    "tar.gz": lambda files: make_tar(files, "w:gz"),
    "zip, deflated": make_zip,
    "zip, stored": lambda files: make_zip(files, zipfile.ZIP_STORED),
    "zip, deflated, streamed": lambda files: make_zip(files, is_streamed=True),
    "zip, stored, streamed": lambda files: make_zip(files, zipfile.ZIP_STORED, is_streamed=True),
}


@pytest.mark.parametrize("piece", [None, 1, 7, 4096])
@pytest.mark.parametrize("writer", WRITERS)
def test_every_kind_of_archive_gives_the_files_that_were_put_in(writer, piece):
    files = {name: content_of(name) for name in NAMES}
    found = read(WRITERS[writer](files), piece=piece)
    assert found == [File(name, content, len(content)) for name, content in files.items()]


@pytest.mark.parametrize("writer", WRITERS)
def test_an_empty_file_is_a_file(writer):
    assert read(WRITERS[writer]({"empty.jpg": b"", "b.jpg": b"\0b"})) == [
        File("empty.jpg", b"", 0),
        File("b.jpg", b"\0b", 2),
    ]


@pytest.mark.parametrize("writer", WRITERS)
def test_a_stream_that_breaks_off_anywhere_gives_the_whole_files_before_it_and_an_error(writer):
    files = {f"{number}.jpg": os.urandom(700) for number in range(8)}
    whole = WRITERS[writer](files)
    expected = [File(name, content, 700) for name, content in files.items()]
    end = whole.rfind(expected[-1].data[-20:]) + 20 if "zip" not in writer else whole.find(b"PK\x01\x02")
    for cut in range(1, end if end > 20 else len(whole) - 9, 101):
        found, error = read_until_fault(whole[:cut])
        assert found == expected[: len(found)]
        assert error.message
    if "tar" in writer:
        assert len(found) >= 6


@pytest.mark.parametrize("writer", WRITERS)
def test_a_file_over_the_limit_is_named_with_its_true_size(writer):
    files = {"a.jpg": b"\0a", "large.jpg": os.urandom(5000), "z.jpg": b"\0z"}
    assert read(WRITERS[writer](files), max_image_bytes=4999) == [
        File("a.jpg", b"\0a", 2),
        File("large.jpg", None, 5000),
        File("z.jpg", b"\0z", 2),
    ]


@pytest.mark.parametrize("writer", WRITERS)
def test_what_systems_leave_in_folders_is_left_out(writer):
    names = [
        "p/.DS_Store",
        "p/Thumbs.db",
        "p/desktop.ini",
        "p/._a.jpg",
        "__MACOSX/p/._a.jpg",
        "__MACOSX/x.jpg",
        "p/a.jpg",
    ]
    data = WRITERS[writer](dict.fromkeys(names, b"\0"))
    found = read(data)
    assert [item.path for item in found if isinstance(item, File)] == ["p/a.jpg"]
    assert found[:-1] == [SkippedEntry(name, "a system file") for name in names[:-1]]
    everything = read_archive(Body(data).read, max_image_bytes=2**20, max_upload_bytes=2**30, everything=True)
    assert [item.path for item in everything if isinstance(item, File)] == names


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("path", ["../up.jpg", "a/../../up.jpg", "/etc/passwd", "n" * 256])
def test_paths_that_climb_are_skipped_with_a_reason(writer, path):
    found = read(WRITERS[writer]({path: b"\0", "good.jpg": b"\0good"}))
    assert found[1:] == [File("good.jpg", b"\0good", 5)]
    assert isinstance(found[0], SkippedEntry)
    assert found[0].reason


def test_links_devices_and_sparse_files_of_a_tar_are_skipped_with_a_reason():
    out = io.BytesIO()
    kinds = [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]
    with tarfile.open(fileobj=out, mode="w") as tar:
        for number, kind in enumerate(kinds):
            member = tarfile.TarInfo(f"odd{number}")
            member.type, member.linkname = kind, "/etc/passwd"
            tar.addfile(member)
        member = tarfile.TarInfo("folder")
        member.type = tarfile.DIRTYPE
        tar.addfile(member)
        tar.addfile(tarfile.TarInfo("a.jpg"))
    assert read(out.getvalue()) == [
        SkippedEntry("odd0", "a symbolic link"),
        SkippedEntry("odd2", "a character device"),
        SkippedEntry("odd3", "a block device"),
        SkippedEntry("odd4", "a named pipe"),
        File("a.jpg", b"", 0),
        SkippedEntry("odd1", "a hard link to a file that is not in the archive"),
    ]


@pytest.mark.parametrize("options", [["--format=gnu"], ["--format=posix"]])
def test_a_sparse_file_written_by_gnu_tar_is_skipped_and_the_next_one_read(tmp_path, options):
    with (tmp_path / "holes").open("wb") as file:
        for hole in range(60):
            file.seek(hole * 2**20)
            file.write(b"data" * 1024)
    (tmp_path / "next.jpg").write_bytes(b"\0next")
    made = subprocess.run(
        ["tar", "-cS", *options, "-C", tmp_path, "holes", "next.jpg"], capture_output=True, check=True
    ).stdout
    found = read(made)
    assert found[-1] == File("next.jpg", b"\0next", 5)
    assert "sparse" in found[0].reason


def test_a_symbolic_link_in_a_zip_is_skipped_and_a_short_text_is_not():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        link = zipfile.ZipInfo("link.jpg")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, "../elsewhere/secret.jpg")
        archive.writestr("note.txt", "../elsewhere/secret.jpg")
        archive.writestr("a.jpg", b"\0a")
    found = read(out.getvalue())
    assert SkippedEntry("link.jpg", "a symbolic link") in found
    assert File("note.txt", b"../elsewhere/secret.jpg", 23) in found
    assert len(found) == 3


@pytest.mark.skipif(not shutil.which("zip"), reason="the program zip is not installed")
@pytest.mark.parametrize("is_streamed", [False, True])
def test_an_encrypted_file_in_a_zip_is_skipped_and_the_next_one_read(tmp_path, is_streamed):
    for name in ("secret.jpg", "open.jpg"):
        (tmp_path / name).write_bytes(os.urandom(3000))
    made = tmp_path / "made.zip"
    subprocess.run(["zip", "-q", "-P", "word", made, "secret.jpg"], cwd=tmp_path, check=True)
    subprocess.run(["zip", "-q", made, "open.jpg"], cwd=tmp_path, check=True)
    data = made.read_bytes()
    found = read(_forget_sizes(data) if is_streamed else data)
    assert found == [
        SkippedEntry("secret.jpg", "an encrypted file"),
        File("open.jpg", (tmp_path / "open.jpg").read_bytes(), 3000),
    ]


def _forget_sizes(data):
    """As programs that cannot seek write it: sizes only behind the content."""
    return data[:14] + bytes(12) + data[26:]


def test_an_encrypted_entry_is_skipped_by_its_size_alone():
    whole = bytearray(make_zip({"secret.jpg": b"\0" + os.urandom(500), "open.jpg": b"\0open"}, zipfile.ZIP_STORED))
    whole[6] |= 1
    assert read(bytes(whole)) == [SkippedEntry("secret.jpg", "an encrypted file"), File("open.jpg", b"\0open", 5)]


@pytest.mark.parametrize("is_streamed", [False, True])
def test_a_method_that_is_not_read_costs_its_file_only(is_streamed):
    packed = bz2.compress(b"\0" * 5000)
    content = [zlib.crc32(b"\0" * 5000), len(packed), 5000]
    header = [0, 0, 0] if is_streamed else content
    entry = b"PK\x03\x04" + struct.pack("<HHHHHLLLHH", 20, 8 * is_streamed, 12, 0, 0, *header, 5, 0) + b"b.jpg" + packed
    entry += b"PK\x07\x08" + struct.pack("<LLL", *content) if is_streamed else b""
    next_alone = make_zip({"next.jpg": b"\0next"}).partition(b"PK\x01\x02")[0] + b"PK\x01\x02"
    assert read(entry + next_alone) == [
        SkippedEntry("b.jpg", "a file compressed by an unsupported method (bzip2)"),
        File("next.jpg", b"\0next", 5),
    ]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_damaged_file_in_a_zip_costs_itself_only(method):
    content = os.urandom(4000)
    whole = bytearray(make_zip({"bad.jpg": content, "good.jpg": b"\0good"}, method))
    whole[1500] ^= 255
    bad, good = read(bytes(whole))
    assert isinstance(bad, SkippedEntry)
    assert "damaged" in bad.reason
    assert good == File("good.jpg", b"\0good", 5)


def test_a_deflated_file_that_cannot_be_unpacked_costs_itself_only():
    whole = bytearray(make_zip({"bad.jpg": b"\0text" * 1000, "good.jpg": b"\0good"}))
    whole[37:45] = b"\xff" * 8
    assert [type(file) for file in read(bytes(whole))] == [SkippedEntry, File]


def test_content_that_looks_like_zip_headers_stays_content():
    trap = (
        b"\0PK\x03\x04PK\x01\x02PK\x07\x08" * 400 + b"PK\x07\x08" + struct.pack("<LLL", 0, 6004, 6004) + b"PK\x03\x04"
    )
    files = {"inner.zip": make_zip({"x.jpg": b"\0x"}), "trap.jpg": trap, "end.jpg": b"\0end"}
    for is_streamed in (False, True):
        found = read(make_zip(files, zipfile.ZIP_STORED, is_streamed=is_streamed), piece=977)
        assert found == [File(name, content, len(content)) for name, content in files.items()]


def test_a_zip_of_64_bit_sizes_is_read():
    for out in (io.BytesIO(), Pipe()):
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in NAMES:
                with archive.open(name, "w", force_zip64=True) as file:
                    file.write(content_of(name))
        data = bytes(out.written) if isinstance(out, Pipe) else out.getvalue()
        assert read(data, piece=333) == [File(name, content_of(name), len(content_of(name))) for name in NAMES]


def test_names_in_the_code_page_of_dos_and_with_backslashes_are_read():
    old = make_zip({"Bxr\\x.jpg": b"\0"}).replace(b"Bxr\\x.jpg", "Bär\\x.jpg".encode("cp437"))
    assert [file.path for file in read(old)] == ["Bär/x.jpg"]
    utf8_unmarked = make_zip({"Bxxr.jpg": b"\0"}).replace(b"Bxxr.jpg", "Bär.jpg".encode())
    assert [file.path for file in read(utf8_unmarked)] == ["Bär.jpg"]


def test_a_drive_of_windows_is_an_absolute_path():
    assert read(make_zip({"C:\\photos\\a.jpg": b"\0"})) == [SkippedEntry("C:/photos/a.jpg", "an absolute path")]


def test_folders_in_a_zip_are_no_files(tmp_path):
    (tmp_path / "in" / "folder").mkdir(parents=True)
    (tmp_path / "in" / "folder" / "a.jpg").write_bytes(b"\0a")
    made = shutil.make_archive(str(tmp_path / "made"), "zip", tmp_path / "in")
    assert read(Path(made).read_bytes()) == [File("folder/a.jpg", b"\0a", 2)]


def test_an_archive_in_an_archive_is_a_file():
    inner = make_zip({"x.jpg": b"\0x"})
    assert read(make_tar({"inner.zip": inner})) == [File("inner.zip", inner, len(inner))]


@pytest.mark.parametrize("writer", ["tar", "tar.gz", "zip, stored"])
def test_an_empty_archive_has_no_files(writer):
    assert read(WRITERS[writer]({})) == []


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "empty"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(600), "7z"),
        (b"Rar!\x1a\x07" + bytes(600), "RAR"),
        (b"\xff\xd8\xff\xe0" + b"picture" * 200, "not a supported archive"),
        (b"short", "not a supported archive"),
        (b"MZ" + bytes(5000), "not a supported archive"),
        (b"MZ" + bytes(5000) + b"7z\xbc\xaf\x27\x1c" + bytes(5000), "7z"),
        (bytes(0x8001) + b"CD001" + bytes(5000), "ISO"),
    ],
)
def test_what_is_no_archive_gets_a_sentence(data, word):
    found, error = read_until_fault(data)
    assert not found
    assert word in error.message


@pytest.mark.parametrize("kind", ["zip", "gzip"])
def test_a_bomb_is_stopped_before_it_unfolds(kind, kept_bytes):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    entry = struct.pack("<HHHHHLLLHH", 20, 8, 8, 0, 0, 0, 0, 0, 5, 0)
    head = b"PK\x03\x04" + entry + b"b.bmp" if kind == "zip" else b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    member = tarfile.TarInfo("b.bmp")
    member.size = 2**33
    first = b"" if kind == "zip" else member.tobuf()
    bomb = head + packer.compress(first) + packer.flush(zlib.Z_FULL_FLUSH)
    bomb += (packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)) * 8192
    body = Body(bomb)
    with pytest.raises(ArchiveError, match="times its size"):
        list(read_archive(body.read, max_image_bytes=2**26, max_upload_bytes=2**40))
    assert body.n_read <= max(2 * 2**20, kept_bytes if kind == "zip" else 0)


@pytest.mark.parametrize("writer", ["tar.gz", "zip, deflated"])
def test_an_archive_that_unpacks_to_more_than_the_limit_is_refused(writer):
    files = {f"{number}.jpg": b"\0" + os.urandom(1000) * 2 for number in range(50)}
    found, error = read_until_fault(WRITERS[writer](files), max_upload_bytes=70_000)
    assert "70000" in error.message
    assert len(found) < 50


def test_more_bytes_than_the_limit_are_not_read():
    body = Body(make_tar({"a.jpg": bytes(5 * 2**20)}))
    with pytest.raises(TooLarge, match="100000"):
        list(read_archive(body.read, max_image_bytes=2**26, max_upload_bytes=100_000))
    assert body.n_read <= 2**20


def test_a_million_entries_are_the_limit(monkeypatch):
    monkeypatch.setattr(budget, "MAX_ENTRIES", 10)
    found, error = read_until_fault(make_tar({str(number): b"" for number in range(20)}))
    assert len(found) == 10
    assert "more than 10 entries" in error.message


def test_gzips_behind_each_other_and_padding_are_one_stream():
    tar = make_tar({name: content_of(name) for name in NAMES})
    data = gzip.compress(tar[:1000], mtime=0) + gzip.compress(tar[1000:]) + bytes(4096)
    assert len(read(data, piece=100)) == len(NAMES)


def test_a_wrong_checksum_of_a_gzip_is_an_error():
    data = bytearray(make_tar({"a.jpg": os.urandom(2**20), "b.jpg": os.urandom(2**20)}, "w:gz"))
    data[-6] ^= 1
    found, error = read_until_fault(bytes(data))
    assert [file.path for file in found] == ["a.jpg"]
    assert "damaged" in error.message


@pytest.mark.parametrize("writer", WRITERS)
def test_whatever_the_bytes_are_only_expected_errors_come_out(writer):
    rng = random.Random(writer)
    whole = WRITERS[writer]({f"{number}/{number}.jpg": rng.randbytes(rng.randrange(900)) for number in range(6)})
    for _ in range(300):
        data = bytearray(whole[: rng.randrange(1, len(whole))] if rng.random() < 0.2 else whole)
        for _ in range(rng.randrange(1, 8)):
            data[rng.randrange(len(data))] = rng.choice((0, 1, 255, rng.randrange(256)))
        try:
            found = read(bytes(data), max_upload_bytes=10**6)
        except (ArchiveError, TooLarge):
            continue
        assert all(isinstance(file, File | SkippedEntry) for file in found)


def test_files_are_packed_into_shards_of_at_most_256():
    packed = list(ShardPacker().pack(File(f"{number}.jpg", b"\0" * 10, 10) for number in range(600)))
    indexes = [index_of(shard) for shard, _ in packed]
    assert [len(index.entries) for index in indexes] == [MAX_FILES, MAX_FILES, 600 - 2 * MAX_FILES]
    assert [entry.path for index in indexes for entry in index.entries] == [f"{number}.jpg" for number in range(600)]


def test_a_larger_file_gets_a_shard_of_its_own():
    sizes = [10, MAX_BYTES + 1, 10, MAX_BYTES, 10]
    packed = list(ShardPacker().pack(File(f"{number}.jpg", bytes(size), size) for number, size in enumerate(sizes)))
    indexes = [index_of(shard) for shard, _ in packed]
    assert [[entry.n_bytes for entry in index.entries] for index in indexes] == [[size] for size in sizes]


def test_packing_keeps_sizes_of_files_that_are_too_large_and_names_what_was_skipped():
    files = [
        SkippedEntry("link", "a symbolic link"),
        File("big.jpg", None, 10**9),
        File("a.jpg", b"\0", 1),
        File("a.jpg", b"\0", 1),
    ]
    (packed,) = ShardPacker().pack(files)
    index = index_of(packed.shard)
    assert [(entry.path, entry.n_bytes, entry.declared_bytes) for entry in index.entries] == [
        ("big.jpg", 0, 10**9),
        ("a.jpg", 1, None),
    ]
    assert packed.skipped == [files[0], SkippedEntry("a.jpg", "a second file of the same path")]


def test_when_only_links_came_there_is_no_shard():
    link = SkippedEntry("link", "a symbolic link")
    assert list(ShardPacker().pack([link])) == [(None, [link])]


def test_packing_hands_out_what_came_before_a_fault():
    def files():
        yield File("a.jpg", b"\0", 1)
        raise ConnectionResetError("the client has hung up")

    packed = ShardPacker().pack(files())
    assert len(index_of(next(packed).shard).entries) == 1
    with pytest.raises(ConnectionResetError):
        next(packed)


def test_files_of_archives_have_their_dates():
    zipped, tarred = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr(zipfile.ZipInfo("dated.jpg", (2020, 5, 17, 12, 34, 56)), b"a")
        archive.writestr(zipfile.ZipInfo("undated.jpg"), b"b")
        exact = zipfile.ZipInfo("exact.jpg", (2020, 5, 17, 12, 34, 56))
        exact.extra = struct.pack("<2HBL", 0x5455, 5, 1, 1_589_718_897)
        archive.writestr(exact, b"c")
    with tarfile.open(fileobj=tarred, mode="w") as archive:
        for name, mtime in (("dated.jpg", 1_234_567_890), ("undated.jpg", 0), ("negative.jpg", -5)):
            member = tarfile.TarInfo(name)
            member.mtime = mtime
            archive.addfile(member)
    local = int(time.mktime((2020, 5, 17, 12, 34, 56, 0, 0, -1)))
    assert [file.modified_at for file in read(zipped.getvalue())] == [local, None, 1_589_718_897]
    assert [file.modified_at for file in read(tarred.getvalue())] == [1_234_567_890, None, None]
