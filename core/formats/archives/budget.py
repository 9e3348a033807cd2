"""The limits of one archive: bytes that arrive, bytes that it unpacks to, bytes that links repeat, entries."""

from core.base.errors import TooLarge
from core.formats.archives.entries import ArchiveError

MAX_ENTRIES = 1_000_000
MAX_RATIO = 200  # unpacked bytes for each byte that came; photographs hardly shrink at all
MAX_LINK_RATIO = 50  # bytes that hard links repeat for each byte that came: some backups link each file once a day
FREE_BYTES = 10 * 2**20  # unpacked or repeated before the ratios count
FREE_ENTRIES = 10_000
MIN_ENTRY_BYTES = 256  # of the archive for each entry beyond the free ones: no picture is smaller


class Budget:
    """Counts against the limits."""

    def __init__(self, max_bytes: int) -> None:
        """Begin an archive of at most this many bytes, as it arrives and unpacked."""
        self._max_bytes = max_bytes
        self._n_arrived = 0
        self._n_read = 0
        self._n_unpacked = 0
        self._n_linked = 0
        self._n_entries = 0

    def count_arrived(self, piece: bytes) -> None:
        """Count bytes of the body.

        Raises:
            TooLarge: There are more than the limit.
        """
        self._n_arrived += len(piece)
        if self._n_arrived > self._max_bytes:
            raise TooLarge(
                f"The archive has more than {self._max_bytes} bytes, the limit. Upload it in parts.",
                limit=self._max_bytes,
            )

    def count_read(self, piece: bytes | memoryview) -> None:
        """Count bytes of the body that are being unpacked; more may have arrived and wait on disk."""
        self._n_read += len(piece)

    def count_unpacked(self, piece: bytes | memoryview) -> None:
        """Count bytes that were unpacked.

        Raises:
            ArchiveError: There are more than the limit, or far more than arrived.
        """
        self._n_unpacked += len(piece)
        if self._n_unpacked > self._max_bytes:
            raise ArchiveError(
                f"The archive unpacks to more than {self._max_bytes} bytes, the limit. Upload it in parts.",
                limit=self._max_bytes,
            )
        if self._n_unpacked > max(FREE_BYTES, MAX_RATIO * self._n_read):
            raise ArchiveError(
                f"The archive unpacks to more than {MAX_RATIO} times its size, which pictures never do."
                " Upload the folder instead."
            )

    def can_link(self, n_bytes: int) -> bool:
        """Count the bytes that a hard link repeats, unless that would pass a limit."""
        n_linked = self._n_linked + n_bytes
        is_within = n_linked <= max(FREE_BYTES, MAX_LINK_RATIO * self._n_arrived)
        if not is_within or n_linked + max(self._n_arrived, self._n_unpacked) > self._max_bytes:
            return False
        self._n_linked = n_linked
        return True

    def count_entry(self) -> None:
        """Count a file or a skipped entry.

        Raises:
            ArchiveError: There are too many, or too many for the bytes that arrived.
        """
        self._n_entries += 1
        if self._n_entries > MAX_ENTRIES:
            raise ArchiveError(
                f"The archive has more than {MAX_ENTRIES} entries, the limit. Upload it in parts.", limit=MAX_ENTRIES
            )
        if self._n_entries > FREE_ENTRIES + self._n_arrived // MIN_ENTRY_BYTES:
            raise ArchiveError(
                f"The archive has more than one entry for each {MIN_ENTRY_BYTES} bytes, which pictures never do."
                " Upload the folder instead."
            )
