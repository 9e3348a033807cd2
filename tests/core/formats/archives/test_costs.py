"""What archives cost: memory does not grow with the bytes of one, and time grows no faster than they do."""

import gzip
import hashlib
import io
import random
import struct
import sys
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from types import FrameType

import pytest

from core.formats.archives.collecting import DiskContent, collect
from core.formats.archives.entries import ArchiveError, File
from core.formats.archives.reading import read_archive
from core.formats.shard_packing import ShardPacker

MIB = 2**20
SEED = 20_261_130
DESCRIPTOR, LOCAL = b"PK\x07\x08", b"PK\x03\x04"


def entry_of_unknown_size(content: bytes) -> bytes:
    """A stored zip entry that only a descriptor ends, and none does."""
    return struct.pack("<4s5H3L2H", LOCAL, 20, 8, 0, 0, 0, 0, 0, 0, 5, 0) + b"a.jpg" + content


def descriptors_of_the_right_size(n_bytes: int) -> bytes:
    out = bytearray()
    while len(out) < n_bytes:
        out += DESCRIPTOR + b"none" + struct.pack("<LL", len(out), len(out)) + LOCAL
    return bytes(out)


def many_extensions(n_bytes: int) -> bytes:
    """A tar of nothing but headers that describe the next one."""
    member = tarfile.TarInfo("n" * 300)
    described = member.create_pax_header(member.get_info(), "utf-8")
    return described[: -tarfile.BLOCKSIZE] * (n_bytes // len(described)) + described


def random_tar(n_bytes: int, mode: str) -> bytes:
    out = io.BytesIO()
    content = random.Random(SEED).randbytes(n_bytes)
    with tarfile.open(fileobj=out, mode=mode) as tar:
        member = tarfile.TarInfo("a.jpg")
        member.size = n_bytes
        tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


def random_zip(n_bytes: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.jpg", random.Random(SEED).randbytes(n_bytes))
    return out.getvalue()


KINDS: dict[str, Callable[[int], bytes]] = {
    "zip, signatures of descriptors": lambda n: entry_of_unknown_size(DESCRIPTOR * (n // 4)),
    "zip, descriptors with followers": lambda n: entry_of_unknown_size((DESCRIPTOR * 4 + LOCAL * 4) * (n // 32)),
    "zip, descriptors of the right size": lambda n: entry_of_unknown_size(descriptors_of_the_right_size(n)),
    "zip, one large file": random_zip,
    "tar, one large file": lambda n: random_tar(n, "w"),
    "tar.gz, one large file": lambda n: random_tar(n, "w:gz"),
    "tar, headers only": many_extensions,
    "gzip of zeros": lambda n: gzip.compress(bytes(n)),
}


def unpack(data: bytes) -> None:
    try:
        files = read_archive(io.BytesIO(data).read, max_image_bytes=64 * MIB, max_upload_bytes=2**34)
        for packed in ShardPacker().pack(files):
            if packed.shard:
                packed.shard.close()
    except ArchiveError:
        pass


def count_calls(data: bytes) -> int:
    """Python and C calls, which no other program on this machine changes."""
    n_calls = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal n_calls
        n_calls += 1

    sys.setprofile(count)
    try:
        unpack(data)
    finally:
        sys.setprofile(None)
    return n_calls


def peak_memory(data: bytes) -> int:
    """Bytes that Python holds at most while it unpacks an archive."""
    tracemalloc.start()
    try:
        unpack(data)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_costs_little_more_memory_than_its_largest_file(kind: str) -> None:
    n_bytes = 2 * MIB
    data = KINDS[kind](n_bytes)
    assert peak_memory(data) < 1.25 * n_bytes + 10 * MIB


@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_takes_time_in_proportion_to_its_bytes(kind: str) -> None:
    assert count_calls(KINDS[kind](2 * MIB)) < 6 * count_calls(KINDS[kind](MIB // 2)) + 1000


def test_a_file_larger_than_memory_should_hold_is_kept_on_disk_and_comes_out_the_same() -> None:
    pieces = [random.Random(SEED + n).randbytes(MIB + 7) for n in range(20)]
    content = collect(iter(pieces), 64 * MIB)
    assert isinstance(content, DiskContent)
    assert File("a.tif", content, len(content)).digest() == hashlib.sha256(b"".join(pieces)).digest()
    assert len(collect(iter(pieces), 19 * MIB)) == 0


def test_a_file_of_40_mib_costs_no_more_memory_than_one_of_8() -> None:
    data = random_tar(40 * MIB, "w:gz")
    assert peak_memory(data) < 24 * MIB
