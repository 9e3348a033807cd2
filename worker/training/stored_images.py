"""Labelled contents read from their shards, each shard once, and decoded."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import cast

import numpy as np
from numpy.typing import NDArray

from core.base.errors import BlobMissing, ImageError
from core.decoding.pool.decoder_pool import DecoderPool, processors
from core.training import datasets
from core.training.datasets import Content, ImageLocation
from worker.process.decoding import decode_stored, open_pool
from worker.process.runtime import Runtime

DecodedContent = tuple[Content, NDArray[np.uint8] | ImageError]
PixelsBySide = dict[int, NDArray[np.uint8]]

MANY = 1000  # images, about a second of decoding: from here on, starting a child for each processor pays off


def locate_contents(runtime: Runtime, contents: Sequence[Content]) -> list[tuple[ImageLocation, Content]]:
    """The contents that still exist, with their places in shards, in the order of shards."""
    with runtime.db.read() as session:
        places = datasets.find_locations(session, [content.image_id for content in contents])
    return sorted(
        ((places[content.image_id], content) for content in contents if content.image_id in places),
        key=lambda located: (located[0].blob_key, located[0].offset),
    )


def decode_located(
    runtime: Runtime, located: Sequence[tuple[ImageLocation, Content]], side_of: Callable[[bytes], int]
) -> Iterator[DecodedContent]:
    """Each content from `locate_contents` with its pixels or its error.

    Args:
        runtime: Of this process.
        located: The contents.
        side_of: Height and width in pixels to decode a content to, by its SHA-256.
    Yields:
        The content, and uint8 (S, S, 3), 0 to 255, or the error.
    """
    for content, decoded in decode_in_sizes(runtime, located, lambda sha256: (side_of(sha256),)):
        yield content, decoded if isinstance(decoded, ImageError) else decoded[side_of(content.sha256)]


def decode_in_sizes(
    runtime: Runtime, located: Sequence[tuple[ImageLocation, Content]], sides_of: Callable[[bytes], Collection[int]]
) -> Iterator[tuple[Content, PixelsBySide | ImageError]]:
    """As `decode_located`, but each content in several sizes: its pixels by their side."""
    with _decoders_for(runtime, len(located)) as pool:
        for blob_key, group in groupby(located, key=lambda each: each[0].blob_key):
            try:
                data = runtime.blobs.get(blob_key)
            except BlobMissing:  # deleted since it was located
                continue
            in_shard = list(group)
            yield from _decode_shard(pool, data, in_shard, [sides_of(content.sha256) for _, content in in_shard])


@contextmanager
def _decoders_for(runtime: Runtime, n_images: int) -> Iterator[DecoderPool]:
    """The process's own children, or one for each processor if there are many images."""
    if n_images < MANY:
        yield runtime.decoders
        return
    with open_pool(runtime.settings, processors()) as pool:
        yield pool


def _decode_shard(
    pool: DecoderPool,
    data: memoryview,
    in_shard: Sequence[tuple[ImageLocation, Content]],
    sides: Sequence[Collection[int]],
) -> Iterator[tuple[Content, PixelsBySide | ImageError]]:
    """The contents of one shard, each in all sizes that are asked for."""
    by_side: dict[int, dict[int, NDArray[np.uint8] | ImageError]] = {}
    for side_px in sorted({side for of_content in sides for side in of_content}):
        rows = [row for row, of_content in enumerate(sides) if side_px in of_content]
        decoded = decode_stored(pool, [in_shard[row][0] for row in rows], data, side_px)
        pixels = [one if isinstance(one, ImageError) else one.pixels for one in decoded]
        by_side[side_px] = dict(zip(rows, pixels, strict=True))
    for row, (_, content) in enumerate(in_shard):
        in_sizes = {side_px: by_side[side_px][row] for side_px in sides[row]}
        errors = [one for one in in_sizes.values() if isinstance(one, ImageError)]
        yield content, errors[0] if errors else cast("PixelsBySide", in_sizes)
