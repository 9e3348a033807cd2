"""The content of one zip entry as a stream: unpacked, counted, checked; and finding its end when only the end says.

Source: PKWARE APPNOTE.TXT 6.3.10, section 4.3.9 (data descriptor).
"""

import re
import struct
import zlib
from collections.abc import Iterator

from core.formats.archives.zip_headers import DEFLATED, DIRECTORY, LOCAL, ZipError, ZipMember, zip_cut_off
from core.formats.tar import Source

_DESCRIPTOR = b"PK\x07\x08"  # in front of the descriptor, by some programs
_DESCRIPTOR_FIELDS = (struct.Struct("<LLL"), struct.Struct("<LQQ"))  # CRC, packed and unpacked size
_LOOK_AHEAD_BYTES = 4 + 20 + 4  # signature, longest descriptor, signature of what follows
# Also where descriptors overlap. The size is looked at only where another signature is in the right place.
_FOLLOWERS = b"|".join(re.escape(signature) for signature in (LOCAL, *DIRECTORY))
_POSSIBLE_DESCRIPTOR = re.compile(b"PK\x07\x08(?=.{12}(?:%b)|.{20}(?:%b))" % (_FOLLOWERS, _FOLLOWERS), re.DOTALL)
_PIECE_BYTES = 2**16
_MAX_UNPACKED_BYTES = 2**20  # held at a time: a bomb is counted while it unfolds


class BadEntry(Exception):
    """One entry is damaged and has been read past. The message is a noun: "a damaged file (...)"."""


class ContentReader:
    """Reads the content of one entry from the source."""

    def __init__(self, source: Source, member: ZipMember) -> None:
        """Stand before a member's content."""
        self._source = source
        self._member = member
        self._n_packed = 0
        self._n_bytes = 0
        self._crc = 0

    def unpack(self) -> Iterator[bytes | memoryview]:
        """Unpack in pieces of at most 1 MiB.

        Raises:
            BadEntry: The content is damaged.
            ZipError: The zip ends too early, or the entry's end cannot be found.
        """
        pieces: Iterator[bytes | memoryview]
        if self._member.method == DEFLATED:
            pieces = self._inflate()
        elif self._member.n_packed is None:
            pieces = self._until_descriptor(is_plain=True)
        else:
            pieces = self._packed(self._member.n_packed)
        for piece in pieces:
            self._n_bytes += len(piece)
            self._crc = zlib.crc32(piece, self._crc)
            yield piece
        expected = self._read_descriptor(is_plain=True) if self._member.has_descriptor else self._member.crc
        if expected != self._crc:
            raise BadEntry("a damaged file (its checksum is wrong)")

    def skip(self) -> None:
        """Read past content that cannot be unpacked.

        Raises:
            ZipError: The zip ends too early, or the entry's end cannot be found.
        """
        n_packed = self._member.n_packed
        for _ in self._until_descriptor(is_plain=False) if n_packed is None else self._packed(n_packed):
            pass
        if self._member.has_descriptor:
            self._read_descriptor(is_plain=False)

    def _packed(self, n_bytes: int) -> Iterator[bytes | memoryview]:
        while n_bytes:
            part = self._source.take_some(n_bytes)
            if not part:
                raise zip_cut_off()
            n_bytes -= len(part)
            self._n_packed += len(part)
            yield part

    def _inflate(self) -> Iterator[bytes | memoryview]:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        n_packed = self._member.n_packed
        while not inflater.eof:
            room = _PIECE_BYTES if n_packed is None else min(_PIECE_BYTES, n_packed - self._n_packed)
            part = self._source.take_some(room)
            if not part and room:
                raise zip_cut_off()
            self._n_packed += len(part)
            try:
                n_unpacked = 0
                for piece in inflate_piece(inflater, part):
                    n_unpacked += len(piece)
                    yield piece
            except zlib.error:
                self._give_up()
            if not room and not n_unpacked and not inflater.eof:
                self._give_up()
        if n_packed is None:
            self._source.unread(inflater.unused_data)
            self._n_packed -= len(inflater.unused_data)
        else:
            self._read_past()

    def _give_up(self) -> None:
        """Skip a damaged entry; without its size, the start of the next one is unknown."""
        if self._member.n_packed is None:
            raise ZipError(f"{self._member.path!r} in the zip is damaged, and its end cannot be found. Pack it again.")
        self._read_past()
        if self._member.has_descriptor:
            self._read_descriptor(is_plain=False)
        raise BadEntry("a damaged file (it cannot be unpacked)")

    def _read_past(self) -> None:
        assert self._member.n_packed is not None
        for _ in self._packed(self._member.n_packed - self._n_packed):
            pass

    def _until_descriptor(self, *, is_plain: bool) -> Iterator[bytes | memoryview]:
        """Hand out stored or unreadable content up to the first descriptor that fits it.

        Args:
            is_plain: The content is not compressed, so the descriptor's CRC and both sizes must fit.
        """
        window = b""
        while part := self._source.take_some(_PIECE_BYTES):
            window += part
            start, n_before = 0, self._n_packed
            for found in _POSSIBLE_DESCRIPTOR.finditer(window):
                at = found.start()
                candidates = list(_parse_descriptors(window[at : at + _LOOK_AHEAD_BYTES], n_before + at))
                if not candidates:
                    continue
                self._n_packed = n_before + at
                yield window[start:at]
                start = at
                if not is_plain or (self._crc, self._n_packed) in candidates:
                    self._source.unread(window[at:])
                    return
            end = max(start, len(window) - _LOOK_AHEAD_BYTES + 1)  # a descriptor may begin behind it
            self._n_packed = n_before + end
            yield window[start:end]
            window = window[end:]
        raise zip_cut_off()

    def _read_descriptor(self, *, is_plain: bool) -> int:
        """Read the descriptor behind the content; return its CRC.

        Neither its signature nor the width of its sizes is certain: what fits the content counts.
        """
        head = bytes(self._source.take(4 + _DESCRIPTOR_FIELDS[1].size))
        start = 4 if head.startswith(_DESCRIPTOR) else 0
        for fields in _DESCRIPTOR_FIELDS:
            end = start + fields.size
            if len(head) < end:
                break
            crc, n_packed, n_bytes = fields.unpack_from(head, start)
            follower = head[end : end + 2]
            if n_packed == self._n_packed and (n_bytes == self._n_bytes or not is_plain) and follower in (b"PK", b""):
                self._source.unread(head[end:])
                return int(crc)
        raise ZipError(f"{self._member.path!r} in the zip has another size than it says. Pack it again.")


def _parse_descriptors(head: bytes, n_packed: int) -> Iterator[tuple[int, int]]:
    """Read CRC and unpacked size of a descriptor that has this packed size, an entry or the directory behind it."""
    for fields in _DESCRIPTOR_FIELDS:
        end = len(_DESCRIPTOR) + fields.size
        if head[end : end + len(LOCAL)] in (LOCAL, *DIRECTORY):
            crc, n_packed_here, n_bytes = fields.unpack_from(head, len(_DESCRIPTOR))
            if n_packed_here == n_packed:
                yield crc, n_bytes


def inflate_piece(inflater: "zlib._Decompress", part: bytes | memoryview) -> Iterator[bytes]:
    """Unpack some bytes in pieces of at most 1 MiB.

    Raises:
        zlib.error: The bytes are damaged.
    """
    waiting: bytes | memoryview = part
    while True:
        piece = inflater.decompress(waiting, _MAX_UNPACKED_BYTES)
        if piece:
            yield piece
        waiting = inflater.unconsumed_tail
        if inflater.eof or (not waiting and len(piece) < _MAX_UNPACKED_BYTES):
            return
