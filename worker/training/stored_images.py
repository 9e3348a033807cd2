"""Labelled contents read from their shards, each shard once, and decoded."""

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from core.base.errors import BlobMissing, ImageError
from core.training import datasets
from core.training.datasets import Content, ImageLocation
from worker.process.decoding import Decoder, decode_stored, map_decoded
from worker.process.runtime import Runtime

DecodedContent = tuple[Content, NDArray[np.uint8] | ImageError]
PixelsBySide = dict[int, NDArray[np.uint8]]


def locate_contents(runtime: Runtime, contents: Sequence[Content]) -> list[tuple[ImageLocation, Content]]:
    """The contents that still exist, with their places in shards, in the order of shards."""
    with runtime.db.read() as session:
        places = datasets.find_locations(session, [content.image_id for content in contents])
    return sorted(
        ((places[content.image_id], content) for content in contents if content.image_id in places),
        key=lambda located: (located[0].blob_key, located[0].offset),
    )


def read_shards(
    runtime: Runtime, located: Sequence[tuple[ImageLocation, Content]]
) -> Iterator[tuple[ImageLocation, Content, memoryview]]:
    """Each content from `locate_contents` with the bytes of its shard; each shard is read once."""
    for blob_key, in_shard in groupby(located, key=lambda each: each[0].blob_key):
        try:
            data = runtime.blobs.get(blob_key)
        except BlobMissing:  # deleted since it was located
            continue
        for place, content in in_shard:
            yield place, content, data


def decode_located(
    runtime: Runtime, attempt: int, located: Sequence[tuple[ImageLocation, Content]], side_of: Callable[[bytes], int]
) -> Iterator[DecodedContent]:
    """Each content from `locate_contents` with its pixels or its error; many are decoded by child processes.

    Args:
        runtime: Of this process.
        attempt: The number of this claim of the job, counted from 1.
        located: The contents.
        side_of: Height and width in pixels to decode a content to, by its SHA-256.
    Yields:
        The content, and uint8 (S, S, 3), 0 to 255, or the error.
    """
    for content, decoded in decode_in_sizes(runtime, attempt, located, lambda sha256: (side_of(sha256),)):
        yield content, decoded if isinstance(decoded, ImageError) else decoded[side_of(content.sha256)]


def decode_in_sizes(
    runtime: Runtime,
    attempt: int,
    located: Sequence[tuple[ImageLocation, Content]],
    sides_of: Callable[[bytes], Collection[int]],
) -> Iterator[tuple[Content, PixelsBySide | ImageError]]:
    """As `decode_located`, but each content in several sizes: its pixels by their side."""

    def decode_one(
        decode: Decoder, located: tuple[ImageLocation, Content, memoryview]
    ) -> tuple[Content, PixelsBySide | ImageError]:
        place, content, data = located
        try:
            return content, {side: decode_stored(place, data, decode, side) for side in sides_of(content.sha256)}
        except ImageError as error:
            return content, error

    return map_decoded(runtime.settings, attempt, decode_one, read_shards(runtime, located), len(located))
