"""Archives that people upload as a stream of files, read leniently.

    body ─► kind, by the first bytes ─► [unpacking] ─► tar or zip ─► File, SkippedEntry ─► `core.formats.shard_packing`

An archive is not made for Pawsort: links, devices, climbing paths and encrypted files are skipped and named, while in
a shard each of them is an error. Archives inside are not opened. Complete files before a fault are kept.
"""

from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import NoReturn

from core.formats.archives import kinds
from core.formats.archives.budget import Budget
from core.formats.archives.collecting import collect
from core.formats.archives.compression import Decompression
from core.formats.archives.entries import ArchiveError, File, Item, OtherArchive
from core.formats.archives.kinds import Kind
from core.formats.archives.names import NameDecoder
from core.formats.archives.tar_files import FindFile, FindKind, TarReader
from core.formats.archives.zip_files import ZipReader
from core.formats.archives.zip_headers import LOCAL, ZipError
from core.formats.ignored_names import kind_of_path
from core.formats.tar import Source
from core.formats.tar_headers import BLOCK, TarError, clean_path

_MAX_PROGRAM_BYTES = 4 * 2**20
_PIECE_BYTES = 2**16
_ENDINGS = (".gz", ".bz2", ".xz", ".zst")
_NAMELESS = "picture"


def _find_none(path: str) -> None:
    return None


def read_archive(
    read: Callable[[int], bytes],
    *,
    max_image_bytes: int,
    max_upload_bytes: int,
    name: str = "",
    names: str | None = None,
    find_file: FindFile = _find_none,
    everything: bool = False,
) -> Iterator[Item]:
    """Read an archive as it arrives.

    Args:
        read: Returns up to n bytes of the body, b"" at its end.
        max_image_bytes: Larger files are read past and come without data.
        max_upload_bytes: Limit on what arrives, on what it unpacks to, and on that with what hard links repeat.
        name: The archive's own name, for a single compressed file.
        names: The encoding of names that are not marked as UTF-8; guessed where it is None.
        find_file: Finds a file that was yielded before by its path; without it, hard links are skipped.
        everything: Whether to take what systems and tools leave behind as well.
    Yields:
        Each file that counts, in order, and what was skipped; the reason is the kind of what systems and tools leave.
    Raises:
        ArchiveError: Not an archive, damaged, cut off, or a bomb.
        OtherArchive: Of a kind that is not read.
        Invalid: There is no such encoding.
        TooLarge: More than `max_upload_bytes` arrived.
    """
    decoder = NameDecoder(names)
    budget = Budget(max_upload_bytes)
    source = Source(read, budget.count_arrived)
    ignored_kind: FindKind = _find_none if everything else kind_of_path
    try:
        for item in _open(source, budget, decoder, max_image_bytes, name, find_file, ignored_kind):
            budget.count_entry()
            yield item
    except (TarError, ZipError) as error:
        raise ArchiveError(error.message) from error


def _open(
    source: Source,
    budget: Budget,
    names: NameDecoder,
    max_image_bytes: int,
    name: str,
    find_file: FindFile,
    ignored_kind: FindKind,
) -> Iterator[Item]:
    head = _peek(source, kinds.HEAD_BYTES)
    kind = kinds.find_kind(head)
    if kind is None and kinds.is_program(head):
        head = _skip_program(source)
        kind = kinds.find_kind(head)
    if kind is None:
        _refuse(head)
    if kind == Kind.ZIP:
        source.take(max(head.find(LOCAL, 0, len(LOCAL) + 4), 0))
        return ZipReader(source, budget, names, max_image_bytes, ignored_kind).read()
    if kind == Kind.TAR:
        return TarReader(source, budget, names, max_image_bytes, find_file, ignored_kind).read()
    packed = Source(source.take_some, budget.count_read)
    unpacked = Source(Decompression(packed, kind).read, budget.count_unpacked)
    if kinds.is_tar(_peek(unpacked, BLOCK)):
        return TarReader(unpacked, budget, names, max_image_bytes, find_file, ignored_kind).read()
    return _read_single(unpacked, max_image_bytes, _name_inside(name, head))


def _peek(source: Source, n_bytes: int) -> bytes:
    head = bytes(source.take(n_bytes))
    source.unread(head)
    return head


def _skip_program(source: Source) -> bytes:
    """Read past the program in front of a self-extracting archive; return the first bytes behind it."""
    data = _peek(source, _MAX_PROGRAM_BYTES)
    start = kinds.find_behind_program(data)
    if start is None:
        return data
    source.take(start)
    return data[start:]


def _refuse(head: bytes) -> NoReturn:
    if not head:
        raise ArchiveError(f"The archive is empty (0 bytes). Upload {kinds.SUPPORTED}.")
    if other := kinds.find_other(head):
        raise OtherArchive(
            f"{other} archives are not supported. Unpack it and upload the folder, or upload {kinds.SUPPORTED}.",
            archive=other,
        )
    raise ArchiveError(f"This is not a supported archive. Upload {kinds.SUPPORTED}.")


def _read_single(source: Source, max_image_bytes: int, name: str) -> Iterator[Item]:
    """Read the one file of a stream that was compressed without a tar."""
    n_bytes = 0

    def counted() -> Iterator[memoryview]:
        nonlocal n_bytes
        while piece := source.take_some(_PIECE_BYTES):
            n_bytes += len(piece)
            yield piece

    data = collect(counted(), max_image_bytes)
    if name.lower().endswith(".tar"):
        raise ArchiveError("The TAR inside is damaged at its first byte. Build it again, or upload the folder itself.")
    yield File(name, data if n_bytes <= max_image_bytes else None, n_bytes)


def _name_inside(name: str, head: bytes) -> str:
    """Name a single file like the archive without its ending, else as its gzip says."""
    own = PurePosixPath(name.replace("\\", "/")).name
    if own.lower().endswith(_ENDINGS):
        own = own.rpartition(".")[0]
    elif own.lower().endswith(".tgz"):
        own = f"{own[:-4]}.tar"
    elif said := _name_in_gzip(head):
        own = said
    path, refusal = clean_path(own.encode("utf-8", "backslashreplace"))
    return _NAMELESS if refusal else path


def _name_in_gzip(head: bytes) -> str:
    """Read the original name in a gzip's header (RFC 1952, section 2.3.1)."""
    has_extra, has_name = head[3] & 4, head[3] & 8
    if not head.startswith(b"\x1f\x8b") or not has_name:
        return ""
    start = 10 + (2 + int.from_bytes(head[10:12], "little") if has_extra else 0)
    name = head[start : start + 256].split(b"\0", 1)[0]
    return PurePosixPath(name.decode("latin-1")).name
