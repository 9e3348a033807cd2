"""Archives of every kind for tests, drawn by code: names in old encodings, hard links, odd beginnings and ends."""

import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Mapping, Sequence


def make_zip(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip as Python writes it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return out.getvalue()


def make_raw_zip(files: Mapping[bytes, bytes], listed: Sequence[bytes] | None = None, extra: bytes = b"") -> bytes:
    """A stored zip without the UTF-8 flag, with names as they are given.

    Args:
        listed: Which of them are in the directory; the others were deleted. All by default.
        extra: Extra fields of each entry.
    """
    body, directory, n_listed = b"", b"", 0
    for name, content in files.items():
        sizes = (zlib.crc32(content), len(content), len(content))
        if listed is None or name in listed:
            fields = struct.pack("<6H3L5H2L", 20, 20, 0, 0, 0, 0, *sizes, len(name), len(extra), 0, 0, 0, 0, len(body))
            directory += b"PK\x01\x02" + fields + name + extra
            n_listed += 1
        body += b"PK\x03\x04" + struct.pack("<5H3L2H", 20, 0, 0, 0, 0, *sizes, len(name), len(extra))
        body += name + extra + content
    end = struct.pack("<4H2LH", 0, 0, n_listed, n_listed, len(directory), len(body), 0)
    return body + directory + b"PK\x05\x06" + end


def make_linked_tar(entries: Sequence[tuple[str, bytes | str]]) -> bytes:
    """A tar of files, given with content, and hard links, given with the path of their target."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for path, content in entries:
            member = tarfile.TarInfo(path)
            if isinstance(content, str):
                member.type, member.linkname = tarfile.LNKTYPE, content
                tar.addfile(member)
            else:
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


def make_old_tar() -> bytes:
    """A tar of 1979, without the word that later ones have."""
    member = tarfile.TarInfo("a.jpg")
    block = bytearray(member.tobuf(tarfile.USTAR_FORMAT))
    block[257:265] = bytes(8)
    block[148:156] = b"%06o\0 " % (sum(block[:148]) + 8 * 32 + sum(block[156:]))
    return bytes(block) + bytes(1024)
