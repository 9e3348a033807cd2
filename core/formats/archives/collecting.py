"""Joining the pieces of one file in memory that grows with the file alone."""

from collections.abc import Iterable


def collect(pieces: Iterable[bytes | memoryview], max_bytes: int) -> bytearray:
    """Join pieces, which may be many and tiny; beyond the limit read on, but keep no more."""
    kept = bytearray()
    n_bytes = 0
    for piece in pieces:
        n_bytes += len(piece)
        if n_bytes <= max_bytes:
            kept += piece
        else:
            kept.clear()
    return kept
