"""Decoding inside a worker: by children (core/decoding/pool), for inference and training alike."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from core.base.config import Settings
from core.base.errors import ErrorCode, ImageError
from core.decoding.decoded import Decoded
from core.decoding.pool.decoder_pool import DecodeLimits, DecoderPool


class StoredBytes(Protocol):
    """The place of an image's bytes in its shard; `declared_bytes` is set if the file was too large to be uploaded."""

    @property
    def offset(self) -> int: ...
    @property
    def n_bytes(self) -> int: ...
    @property
    def declared_bytes(self) -> int | None: ...


def open_pool(settings: Settings, n_children: int, niceness: int = 0) -> DecoderPool:
    """A pool with the decoder and the limits of the settings."""
    limits = DecodeLimits.from_settings(settings)
    return DecoderPool(settings.decoder, limits=limits, n_children=n_children, niceness=niceness)


def decode_stored(
    pool: DecoderPool, images: Sequence[StoredBytes], shard: memoryview, side_px: int, cpu_s: float | None = None
) -> list[Decoded | ImageError]:
    """Decode images of a shard.

    Args:
        pool: Decodes them.
        images: Their places in the shard.
        shard: The bytes of the shard.
        side_px: Height and width to decode to.
        cpu_s: Processor time for each; None for the limit of the settings.
    Returns:
        For each image in order, uint8 (side_px, side_px, 3), 0 to 255, with its warning, or its error.
    """
    return _with_too_large(images, pool.decode_batch(_cut(images, shard), side_px, cpu_s))


def decode_stored_pieces(
    pool: DecoderPool, images: Sequence[StoredBytes], shard: memoryview, side_px: int, cpu_s: float, n_each: int
) -> Iterator[list[Decoded | ImageError]]:
    """As `decode_stored`, `n_each` images at a time, as soon as they are decoded."""
    n_done = 0
    for decoded in pool.decode_pieces(_cut(images, shard), side_px, cpu_s, n_each):
        yield _with_too_large(images[n_done : n_done + len(decoded)], decoded)
        n_done += len(decoded)


def _cut(images: Sequence[StoredBytes], shard: memoryview) -> list[memoryview | bytes]:
    return [
        shard[image.offset : image.offset + image.n_bytes] if image.declared_bytes is None else b"" for image in images
    ]


def _with_too_large(
    images: Sequence[StoredBytes], decoded: Sequence[Decoded | ImageError]
) -> list[Decoded | ImageError]:
    return [
        one if image.declared_bytes is None else ImageError(ErrorCode.TOO_MANY_BYTES)
        for image, one in zip(images, decoded, strict=True)
    ]
