"""Archives made for harm, drawn from a seed: each kind costs memory or time somewhere, if it is read carelessly."""

import bz2
import gzip
import io
import lzma
import random
import struct
import tarfile
import zlib
from collections.abc import Callable
from itertools import islice

from backports import zstd

LOCAL, DESCRIPTOR, CENTRAL, END = b"PK\x03\x04", b"PK\x07\x08", b"PK\x01\x02", b"PK\x05\x06"
MIB = 2**20

Draw = random.Random


def _local(name: bytes, packed: bytes, method: int = 0, flags: int = 0, n_bytes: int | None = None) -> bytes:
    size = len(packed) if n_bytes is None else n_bytes
    return LOCAL + struct.pack("<5H3L2H", 20, flags, method, 0, 0, 0, len(packed), size, len(name), 0) + name + packed


def _central(name: bytes, offset: int, n_packed: int = 0, comment: bytes = b"") -> bytes:
    fields = struct.pack(
        "<6H3L5H2L", 20, 20, 0, 0, 0, 0, 0, n_packed, n_packed, len(name), 0, len(comment), 0, 0, 0, offset
    )
    return CENTRAL + fields + name + comment


def _end(n_entries: int, n_bytes: int, offset: int) -> bytes:
    return END + struct.pack("<4H2LH", 0, 0, n_entries % 65536, n_entries % 65536, n_bytes, offset, 0)


def _deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def _repeat(piece: bytes, n_bytes: int) -> bytes:
    return piece * (n_bytes // len(piece) + 1)


def descriptor_storm(n_bytes: int, draw: Draw) -> bytes:
    pattern = DESCRIPTOR * draw.randint(1, 9) + draw.choice((LOCAL, CENTRAL, b"")) * draw.randint(1, 9)
    return _local(b"a.jpg", b"", flags=8) + _repeat(pattern, n_bytes)


def zip_bombs(n_bytes: int, draw: Draw) -> bytes:
    bomb = _deflate(bytes(draw.randint(1, 60) * MIB))
    return b"".join(islice((_local(b"%d.bmp" % n, bomb, 8) for n in range(10**6)), n_bytes // len(bomb) + 1))


def empty_zip_entries(n_bytes: int, draw: Draw) -> bytes:
    n_entries = n_bytes // 90
    names = [b"%07d" % n for n in range(n_entries)]
    body = b"".join(_local(name, b"") for name in names)
    directory = b"".join(_central(name, 37 * n) for n, name in enumerate(names))
    return body + directory + _end(n_entries, len(directory), len(body))


def overlapping_zip_entries(n_bytes: int, draw: Draw) -> bytes:
    body = _local(b"a.jpg", draw.randbytes(MIB))
    record = _central(b"a.jpg", 0, MIB)
    n_entries = (n_bytes - MIB) // len(record)
    return body + record * n_entries + _end(n_entries, n_entries * len(record), len(body))


def long_zip_comments(n_bytes: int, draw: Draw) -> bytes:
    record = _central(b"a.jpg", 0, 0, draw.randbytes(1) * 65_000)
    n_entries = n_bytes // len(record)
    return _local(b"a.jpg", b"") + record * n_entries + _end(n_entries, n_entries * len(record), 35) + b"x" * 65_535


def lies_of_64_bits(n_bytes: int, draw: Draw) -> bytes:
    extra = struct.pack("<HHQQ", 1, 16, draw.choice((2**63, 2**40, 0)), draw.choice((2**62, 2**33)))
    head = struct.pack("<5H3L2H", 45, 0, draw.choice((0, 8)), 0, 0, 0, 2**32 - 1, 2**32 - 1, 5, len(extra))
    return LOCAL + head + b"a.jpg" + extra + draw.randbytes(MIB) * (n_bytes // MIB)


def many_ends(n_bytes: int, draw: Draw) -> bytes:
    return _local(b"a.jpg", b"") + _repeat(_end(draw.randint(0, 9), draw.randint(0, 99), 0), n_bytes)


def _tar(member: tarfile.TarInfo) -> bytes:
    return member.tobuf(tarfile.PAX_FORMAT)


def many_tar_headers(n_bytes: int, draw: Draw) -> bytes:
    return _repeat(_tar(tarfile.TarInfo("n" * draw.randint(1, 99))), n_bytes) + bytes(1024)


def extension_storm(n_bytes: int, draw: Draw) -> bytes:
    extension = _tar(tarfile.TarInfo("d/" * draw.randint(60, 2000)))[:-512]
    return _repeat(extension, n_bytes)


def tiny_records(n_bytes: int, draw: Draw) -> bytes:
    member = tarfile.TarInfo("././@PaxHeader")
    member.type, member.size = draw.choice((tarfile.XHDTYPE, tarfile.XGLTYPE)), n_bytes // 512 * 512
    record = draw.choice((b"5 a=\n", b"9 path=a\n", b"13 GNU.sparse=\n"))
    return member.tobuf(tarfile.USTAR_FORMAT) + _repeat(record, n_bytes)[: member.size] + bytes(1024)


def one_huge_record(n_bytes: int, draw: Draw) -> bytes:
    member = tarfile.TarInfo("././@PaxHeader")
    member.type, member.size = tarfile.XHDTYPE, n_bytes // 512 * 512
    key = draw.choice((b"path", b"linkpath", b"SCHILY.xattr.x"))
    record = b"%d %s=" % (member.size, key)
    content = record + b"x" * (member.size - len(record) - 1) + b"\n"
    return member.tobuf(tarfile.USTAR_FORMAT) + content + _tar(tarfile.TarInfo("a")) + bytes(1024)


def long_link_names(n_bytes: int, draw: Draw) -> bytes:
    member = tarfile.TarInfo("././@LongLink")
    member.type, member.size = draw.choice((tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)), n_bytes // 512 * 512
    return member.tobuf(tarfile.GNU_FORMAT) + b"n" * member.size + _tar(tarfile.TarInfo("a")) + bytes(1024)


def many_hard_links(n_bytes: int, draw: Draw) -> bytes:
    content = draw.randbytes(n_bytes // 2 // 512 * 512)
    file = tarfile.TarInfo("a")
    file.size = len(content)
    link = tarfile.TarInfo("l")
    link.type, link.linkname = tarfile.LNKTYPE, draw.choice(("a", "l", "nothing"))
    links = []
    for n in range(min(n_bytes // 1024, 20_000)):
        link.name = f"link{n}"
        links.append(_tar(link))
    return _tar(file) + content + b"".join(links) + bytes(1024)


def long_padding(n_bytes: int, draw: Draw) -> bytes:
    return _tar(tarfile.TarInfo("a")) + bytes(n_bytes) + draw.choice((b"", b"x"))


def gzip_of_zeros(n_bytes: int, draw: Draw) -> bytes:
    return _repeat(gzip.compress(bytes(16 * MIB)), n_bytes)


def many_gzip_members(n_bytes: int, draw: Draw) -> bytes:
    return _repeat(gzip.compress(draw.choice((b"", b"x" * 512))), n_bytes)


def bzip2_of_zeros(n_bytes: int, draw: Draw) -> bytes:
    return _repeat(bz2.compress(bytes(45 * MIB)), n_bytes)


def xz_with_a_huge_dictionary(n_bytes: int, draw: Draw) -> bytes:
    size = draw.choice((2**26, 2**27, 2**30, 2**32 - 1))
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 2**16}]
    packed = bytearray(lzma.compress(draw.randbytes(n_bytes), check=lzma.CHECK_NONE, filters=filters))
    bits = next(n for n in range(41) if n == 40 or (2 | n & 1) << (n // 2 + 11) >= size)
    packed[16] = bits  # the dictionary's size, in the header of the first block
    length = (packed[12] + 1) * 4
    packed[12 + length - 4 : 12 + length] = struct.pack("<L", zlib.crc32(bytes(packed[12 : 12 + length - 4])))
    return bytes(packed)


def zstd_with_a_huge_window(n_bytes: int, draw: Draw) -> bytes:
    options = {zstd.CompressionParameter.window_log: draw.choice((26, 27, 30, 31))}
    compressor = zstd.ZstdCompressor(options=options)
    return compressor.compress(draw.randbytes(n_bytes)) + compressor.flush()


def zstd_of_zeros(n_bytes: int, draw: Draw) -> bytes:
    return _repeat(zstd.compress(bytes(draw.randint(1, 64) * MIB)), n_bytes)


def one_large_picture(n_bytes: int, draw: Draw) -> bytes:
    content = draw.randbytes(n_bytes)
    if draw.random() < 0.5:
        return _local(b"a.jpg", content)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        member = tarfile.TarInfo("a.jpg")
        member.size = n_bytes
        tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


KINDS: tuple[Callable[[int, Draw], bytes], ...] = (
    descriptor_storm,
    zip_bombs,
    empty_zip_entries,
    overlapping_zip_entries,
    long_zip_comments,
    lies_of_64_bits,
    many_ends,
    many_tar_headers,
    extension_storm,
    tiny_records,
    one_huge_record,
    long_link_names,
    many_hard_links,
    long_padding,
    gzip_of_zeros,
    many_gzip_members,
    bzip2_of_zeros,
    xz_with_a_huge_dictionary,
    zstd_with_a_huge_window,
    zstd_of_zeros,
    one_large_picture,
)
