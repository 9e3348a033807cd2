"""Shards: names that survive, limits that hold, and tars made to harm."""

import hashlib
import io
import os
import random
import subprocess
import tarfile
import time

import pytest

from core.formats.shards import (
    MAX_BYTES,
    MAX_FILES,
    SIZE_KEY,
    ShardBuilder,
    ShardError,
    ShardTooLarge,
    index_shard,
    max_shard_bytes,
)
from tests.support.bodies import Body

MAX_IMAGE_BYTES = 2**26
NAMES = [
    "a.jpg",
    "A.jpg",
    "Фотографии/кот.jpg",
    "照片/猫.jpg",
    "😺/🐶.jpg",
    "n" * 251 + ".jpg",
    "/".join("abcdefghij") + "/deep.jpg",
    "with space/and\nnewline\tand'quote\".jpg",
    "back\\slash.jpg",
    "x" * 100,
    "x" * 101,
    "d" * 200 + "/" + "e" * 200 + "/" + "f" * 200,
    "-rf",
    "=1+1.jpg",
    "...jpg",
    "ünïcödé/á.jpg",
    "a\u0301.jpg",  # a and a combining accent: not the same name as á
]


def content_of(builder: ShardBuilder) -> bytes:
    with builder.finish() as tar:
        return tar.read()


def index(data, *, piece=None, max_image_bytes=MAX_IMAGE_BYTES, **options):
    return index_shard(Body(data, piece).read, max_image_bytes=max_image_bytes, **options)


def refusal(data, error=ShardError, **options):
    with pytest.raises(error) as caught:
        index(data, **options)
    return caught.value.message


def build(files):
    builder = ShardBuilder()
    for path, content in files.items():
        builder.add(path, len(content), [content])
    return content_of(builder)


def make_tar(*members, **options):
    """Write members, (name, content) or TarInfo, with Python's tarfile."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", **options) as tar:
        for member in members:
            info, content = member if isinstance(member, tuple) else (member, b"")
            if isinstance(info, str):
                info = tarfile.TarInfo(info)
                info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def header(name=b"a.jpg", size=b"00000000003\0", kind=b"0", magic=b"ustar\x0000", prefix=b""):
    """One raw header with a right checksum around whatever fields a test wants."""
    head = name.ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2 + size.ljust(12, b"\0") + b"00000000000\0"
    tail = kind + bytes(100) + magic + bytes(80) + prefix.ljust(155, b"\0") + bytes(12)
    return head + b"%06o\0 " % (sum(head) + 256 + sum(tail)) + tail


def with_pax(records, *, kind=b"x", file=None):
    """A file behind an extended header with exactly these bytes."""
    padding = bytes(-len(records) % 512)
    file = header() + b"abc".ljust(512, b"\0") if file is None else file
    return header(b"pax", b"%011o\0" % len(records), kind) + records + padding + file + bytes(1024)


def record(key, value):
    body = b" " + key + b"=" + value + b"\n"
    size = len(body) + 1
    while len(str(size)) + len(body) != size:
        size += 1
    return str(size).encode() + body


def link(kind, target="a.jpg", name="link"):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize("piece", [None, 1, 511, 513, 100_000])
def test_files_come_back_with_path_place_size_and_digest(piece):
    files = {name: os.urandom(number * 100) for number, name in enumerate(NAMES)}
    shard = build(files)
    found = index(shard, piece=piece)
    assert [entry.path for entry in found.entries] == NAMES
    for entry, content in zip(found.entries, files.values(), strict=True):
        assert shard[entry.offset : entry.offset + entry.n_bytes] == content
        assert entry.sha256 == hashlib.sha256(content).digest()
        assert entry.declared_bytes is None
    assert (found.n_bytes, found.sha256) == (len(shard), hashlib.sha256(shard).digest())


def test_the_sink_gets_every_byte_in_order():
    shard = build({name: name.encode() for name in NAMES}) + bytes(5000)
    got = bytearray()
    assert index(shard, piece=777, sink=got.extend).n_bytes == len(shard)
    assert got == shard


@pytest.mark.parametrize("format", ["gnu", "oldgnu", "pax", "posix"])
def test_what_gnu_tar_writes_is_read(tmp_path, format):
    for number, name in enumerate(NAMES):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * number)
    command = ["tar", "-c", f"--format={format}", "-C", tmp_path / "in", "."]
    found = index(subprocess.run(command, capture_output=True, check=True).stdout)
    assert sorted(entry.path for entry in found.entries) == sorted(NAMES)


def test_what_gnu_tar_writes_in_the_ustar_format_is_read(tmp_path):
    path = tmp_path / ("d" * 90) / ("e" * 60) / "long.jpg"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x")
    command = ["tar", "-c", "--format=ustar", "-C", tmp_path, "d" * 90]
    (entry,) = index(subprocess.run(command, capture_output=True, check=True).stdout).entries
    assert entry.path == str(path.relative_to(tmp_path))


@pytest.mark.parametrize("format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_what_python_writes_is_read(format):
    found = index(make_tar(*((name, name.encode()) for name in NAMES), format=format))
    assert [entry.path for entry in found.entries] == NAMES


def test_python_and_gnu_tar_read_what_we_write(tmp_path):
    files = {name: name.encode() for name in NAMES}
    shard = build(files)
    with tarfile.open(fileobj=io.BytesIO(shard)) as tar:
        assert {member.name: tar.extractfile(member).read() for member in tar} == files
    subprocess.run(["tar", "-x", "-C", tmp_path], input=shard, check=True)
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()} == set(NAMES)


def test_the_same_files_give_the_same_shard():
    files = {"a.jpg": b"a", "😺.jpg": b"b"}
    assert build(files) == build(files)


def test_a_name_that_is_no_utf_8_is_kept_readable():
    (entry,) = index(header(b"caf\xe9.jpg") + b"abc".ljust(512, b"\0") + bytes(1024)).entries
    assert entry.path == "caf\\xe9.jpg"


def test_leading_dots_and_doubled_slashes_are_left_out():
    paths = ["./a.jpg", "b//c.jpg", "./d/./e.jpg"]
    assert [entry.path for entry in index(make_tar(*((path, b"x") for path in paths))).entries] == [
        "a.jpg",
        "b/c.jpg",
        "d/e.jpg",
    ]


def test_folders_do_not_count_and_every_file_that_was_sent_does():
    folder = tarfile.TarInfo("photos")
    folder.type = tarfile.DIRTYPE
    sent = [".DS_Store", "photos/Thumbs.db", "@eaDir/x.jpg", "photos/a.jpg"]
    found = index(make_tar(folder, *((name, b"x") for name in sent)))
    assert [entry.path for entry in found.entries] == sent


def test_a_file_too_large_to_send_leaves_its_size():
    builder = ShardBuilder()
    builder.add_oversize("photos/Большой.tif", 10**10)
    builder.add("a.jpg", 1, [b"x"])
    large, small = index(content_of(builder)).entries
    assert (large.path, large.n_bytes, large.declared_bytes) == ("photos/Большой.tif", 0, 10**10)
    assert small.declared_bytes is None


def test_a_shard_of_256_files_and_32_mib_is_full_and_legal():
    builder = ShardBuilder()
    size = MAX_BYTES // MAX_FILES
    for number in range(MAX_FILES):
        assert not builder.is_full_for(size)
        builder.add(f"{number}.jpg", size, [bytes(size)])
    assert builder.is_full_for(0)
    assert len(index(content_of(builder)).entries) == MAX_FILES


def test_one_larger_file_is_a_legal_shard():
    shard = build({"n" * 255: bytes(MAX_IMAGE_BYTES)})
    assert index(shard).entries[0].n_bytes == MAX_IMAGE_BYTES
    assert len(shard) <= max_shard_bytes(MAX_IMAGE_BYTES)


# ---- what is refused ----


def test_one_file_too_many_is_refused_by_name_of_the_limit():
    assert "256 files" in refusal(build({str(number): b"" for number in range(257)}), ShardTooLarge)


def test_more_than_32_mib_in_several_files_is_refused():
    assert str(MAX_BYTES) in refusal(build({"a": bytes(MAX_BYTES), "b": b"x"}), ShardTooLarge)


def test_a_file_over_the_limit_is_refused_before_its_content_is_read():
    body = Body(header(b"big.jpg", b"%011o\0" % (5 * 2**20)) + bytes(5 * 2**20) + bytes(1024))
    with pytest.raises(ShardTooLarge, match=r"big\.jpg.*4194304"):
        index_shard(body.read, max_image_bytes=4 * 2**20)
    assert body.n_read <= 2**20


def test_a_body_that_never_ends_is_read_no_further_than_the_limit():
    class Endless:
        n_read = 0
        folder = header(b"folder/", b"00000000000\0", b"5") * 2048

        def read(self, n):
            self.n_read += len(self.folder)
            return self.folder

    body = Endless()
    with pytest.raises(ShardTooLarge):
        index_shard(body.read, max_image_bytes=2**20)
    assert body.n_read <= max_shard_bytes(2**20) + len(body.folder)


def test_a_shard_without_a_file_is_refused():
    assert "no file" in refusal(bytes(1024))


@pytest.mark.parametrize("name", ["../x.jpg", "a/../b.jpg", "a/..", "/etc/passwd", "a/" + "n" * 256, "n/" * 2048 + "n"])
def test_a_path_that_must_not_be_is_refused_by_name(name):
    message = refusal(make_tar((name, b"x")))
    assert name.lstrip("/")[:20] in message


@pytest.mark.parametrize("name", ["../x.jpg", "/a", "", ".", "a\0b", "n" * 256])
def test_such_a_path_cannot_be_packed_either(name):
    with pytest.raises(ShardError):
        ShardBuilder().add(name, 1, [b"x"])


def test_a_zero_byte_in_a_path_is_refused():
    assert "zero byte" in refusal(with_pax(record(b"path", b"a.jpg\0.exe")))
    assert "zero byte" in refusal(with_pax(b"a\0b\0", kind=b"L"))


def test_an_empty_path_is_refused():
    assert "empty path" in refusal(header(b"") + b"abc".ljust(512, b"\0") + bytes(1024))


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        (tarfile.SYMTYPE, "symbolic link"),
        (tarfile.LNKTYPE, "hard link"),
        (tarfile.CHRTYPE, "character device"),
        (tarfile.BLKTYPE, "block device"),
        (tarfile.FIFOTYPE, "named pipe"),
    ],
)
def test_links_and_devices_are_refused_by_name(kind, word):
    message = refusal(make_tar(("a.jpg", b"x"), link(kind)))
    assert "'link'" in message
    assert word in message


def test_sparse_files_are_refused():
    assert "sparse" in refusal(header(kind=b"S") + bytes(512) + bytes(1024))
    assert "sparse" in refusal(with_pax(record(b"GNU.sparse.major", b"1")))


@pytest.mark.parametrize("kind", [b"M", b"V", b"Z", b"\xff"])
def test_unknown_kinds_of_entries_are_refused(kind):
    assert "unknown type" in refusal(header(kind=kind) + bytes(512) + bytes(1024))


def test_the_same_path_twice_is_refused():
    assert "'a.jpg' is in the shard twice" in refusal(make_tar(("a.jpg", b"x"), ("./a.jpg", b"y")))


def test_a_tar_that_is_cut_off_anywhere_is_refused():
    shard = build(dict.fromkeys(NAMES, b"x" * 700))
    for cut in range(0, len(shard) - 1023, 64):
        assert refusal(shard[:cut])


def test_one_block_of_zeros_is_end_enough_and_none_is_not():
    shard = build({"a.jpg": b"x"})
    assert len(index(shard[:-512]).entries) == 1
    assert "ends too early" in refusal(shard[:-1024])


def test_zeros_may_follow_the_end_and_nothing_else():
    shard = build({"a.jpg": b"x"})
    assert len(index(shard + bytes(10240)).entries) == 1
    assert "follow the end" in refusal(shard + bytes(1000) + b"x")
    assert "follow the end" in refusal(shard + shard)
    assert "follow the end" in refusal(shard + bytes(3 * 2**20))


def test_a_wrong_checksum_is_refused():
    shard = bytearray(build({"a.jpg": b"x"}))
    shard[0] = ord("b")
    assert "checksum" in refusal(bytes(shard))
    assert "damaged" in refusal(b"<html>not a tar</html>" * 100)


WRONG_SIZES = {
    "minus": b"-0000000003\0",
    "plus": b"+3\0",
    "hexadecimal": b"0x000000003\0",
    "a letter": b"00000000o03\0",
    "a nine": b"00000000009\0",
    "underscore": b"0000000_003\0",
    "negative in base 256": b"\xff" * 12,
    "huge in base 256": b"\x80" + b"\xff" * 11,
}


@pytest.mark.parametrize("size", WRONG_SIZES.values(), ids=WRONG_SIZES)
def test_a_size_that_is_no_number_is_refused(size):
    assert "header at byte 0" in refusal(header(size=size) + bytes(2048))


def test_sizes_in_base_256_are_read():
    (entry,) = index(header(size=b"\x80" + (3).to_bytes(11, "big")) + b"abc".ljust(512, b"\0") + bytes(1024)).entries
    assert entry.n_bytes == 3


def test_a_size_beyond_the_body_is_refused():
    assert "ends too early" in refusal(header(size=b"00000777777\0") + bytes(2048))


def test_the_size_of_an_extended_header_counts():
    file = header(size=b"00000000000\0") + b"abc".ljust(512, b"\0")
    (entry,) = index(with_pax(record(b"size", b"3"), file=file)).entries
    assert entry.sha256 == hashlib.sha256(b"abc").digest()


@pytest.mark.parametrize(
    "records",
    [
        b"garbage",
        b"0 path=x\n",
        b"5 path=x\n",
        b"999 path=x\n",
        b"-9 path=x\n",
        b"9 path=xy",
        b"8 path x\n",
        b"99999999999999999999999999 path=x\n",
        record(b"size", b"-1"),
        record(b"size", b"1e3"),
        record(b"size", b"9" * 30),
        record(SIZE_KEY.encode(), b"many"),
    ],
)
def test_a_damaged_extended_header_is_refused(records):
    assert "extended header" in refusal(with_pax(records))


@pytest.mark.parametrize("n_bytes", [5, 65_000, 66_000, 131_050, 131_080, 1_000_000])
def test_attributes_of_any_size_are_read_past(n_bytes):
    attribute = record(b"SCHILY.xattr.com.apple.ResourceFork", b"x=\n" * (n_bytes // 3))
    records = attribute + record(b"path", b"renamed.jpg") + attribute
    assert [entry.path for entry in index(with_pax(records)).entries] == ["renamed.jpg"]


def test_an_extended_header_without_end_is_cut_off():
    assert "too early" in refusal(header(b"long", b"%011o\0" % 2**32, b"L") + bytes(4096))
    assert "damaged" in refusal(with_pax(b"999999 comment=" + b"x" * 200_000))


def test_other_keys_of_an_extended_header_do_not_matter():
    records = record(b"hdrcharset", b"BINARY") + record(b"mtime", b"1.5") + record(b"linkpath", b"/etc/passwd")
    assert [entry.path for entry in index(with_pax(records)).entries] == ["a.jpg"]


def test_a_global_header_counts_for_every_file_that_does_not_say_otherwise():
    assert len(index(with_pax(record(b"comment", b"by git"), kind=b"g")).entries) == 1
    assert [entry.path for entry in index(with_pax(record(b"path", b"b.jpg"), kind=b"g")).entries] == ["b.jpg"]


def test_extended_headers_count_for_one_file_only():
    file = header() + b"abc".ljust(512, b"\0")
    shard = with_pax(record(b"path", b"renamed.jpg"), file=file + header(b"second.jpg") + file[512:])
    assert [entry.path for entry in index(shard).entries] == ["renamed.jpg", "second.jpg"]


def test_content_beside_a_declared_size_is_refused():
    assert SIZE_KEY in refusal(with_pax(record(SIZE_KEY.encode(), b"5")))


def test_the_prefix_counts_in_ustar_headers_only():
    content = b"abc".ljust(512, b"\0") + bytes(1024)
    assert index(header(prefix=b"folder") + content).entries[0].path == "folder/a.jpg"
    assert index(header(prefix=b"folder", magic=b"ustar  \0") + content).entries[0].path == "a.jpg"


def test_an_error_of_the_sink_passes_through():
    def full(piece):
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        index(build({"a.jpg": b"x"}), sink=full)


@pytest.mark.parametrize("seed", range(8))
def test_whatever_the_bytes_are_it_is_a_shard_or_a_shard_error(seed):
    rng = random.Random(seed)
    files = {f"{'ж' * rng.randrange(80)}/{number}.jpg": rng.randbytes(rng.randrange(1500)) for number in range(5)}
    formats = (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)
    wholes = [build(files), *(make_tar(*files.items(), format=format) for format in formats)]
    busy_before = time.process_time()
    for _ in range(400):
        data = bytearray(rng.choice(wholes))
        for _ in range(rng.randrange(1, 6)):
            _mutate(data, rng)
        try:
            found = index(bytes(data), max_image_bytes=2**20)
        except (ShardError, ShardTooLarge):
            continue
        for entry in found.entries:
            assert hashlib.sha256(data[entry.offset : entry.offset + entry.n_bytes]).digest() == entry.sha256
    assert time.process_time() - busy_before < 60


def _mutate(data, rng):
    """One of the ways in which tars go wrong; half of the time with the checksum made right again."""
    block = rng.randrange(len(data) // 512) * 512
    kind = rng.randrange(4)
    if kind == 0:
        data[block + rng.randrange(512)] = rng.randrange(256)
    elif kind == 1:
        data[block + 124 : block + 136] = rng.choice(
            (b"77777777777\0", b"\x80" + bytes(11), b"\xff" * 12, b"-1\0".ljust(12))
        )
    elif kind == 2:
        data[block + 156] = rng.choice(b"012345678xgLKSMV\0\xff")
    else:
        del data[block : block + 512 * rng.randrange(1, 3)]
    if rng.random() < 0.5 and len(data) >= block + 512:
        data[block + 148 : block + 156] = b" " * 8
        data[block + 148 : block + 156] = b"%06o\0 " % sum(data[block : block + 512])
