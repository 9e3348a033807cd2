"""Contents with the bytes of the shards that they are in, each shard read once; and what can be seen on them."""

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from core.base.errors import BlobMissing, ImageError
from core.training import datasets
from core.training.datasets import Content, ImageLocation
from worker.process.decoding import Decoder, decode_stored, map_decoded
from worker.process.runtime import Runtime

Decoded = tuple[Content, NDArray[np.uint8] | ImageError]
Sizes = dict[int, NDArray[np.uint8]]


def locate(runtime: Runtime, contents: Sequence[Content]) -> list[tuple[ImageLocation, Content]]:
    """Where the contents are that still exist, in the order of shards."""
    with runtime.db.read() as session:
        places = datasets.find_locations(session, [content.image_id for content in contents])
    return sorted(
        ((places[content.image_id], content) for content in contents if content.image_id in places),
        key=lambda one: (one[0].blob_key, one[0].offset),
    )


def with_shards(
    runtime: Runtime, there: Sequence[tuple[ImageLocation, Content]]
) -> Iterator[tuple[ImageLocation, Content, memoryview]]:
    """Each content that `locate` gave with the bytes of its shard, of which each is read once."""
    for blob_key, together in groupby(there, key=lambda one: one[0].blob_key):
        try:
            data = runtime.blobs.get(blob_key)
        except BlobMissing:  # deleted since it was looked for
            continue
        for place, content in together:
            yield place, content, data


def decode_places(
    runtime: Runtime, attempt: int, there: Sequence[tuple[ImageLocation, Content]], side_of: Callable[[bytes], int]
) -> Iterator[Decoded]:
    """Each content that `locate` gave with its pixels, uint8 (S, S, 3), or why it has none; by children if many.

    Args:
        attempt: Which claim of the job this is, counted from 1.
        side_of: Height and width in pixels to decode a content to.
    """
    for content, found in decode_sizes(runtime, attempt, there, lambda sha256: (side_of(sha256),)):
        yield content, found if isinstance(found, ImageError) else found[side_of(content.sha256)]


def decode_sizes(
    runtime: Runtime,
    attempt: int,
    there: Sequence[tuple[ImageLocation, Content]],
    sides_of: Callable[[bytes], Collection[int]],
) -> Iterator[tuple[Content, Sizes | ImageError]]:
    """As `decode_places`, but each content in several sizes: its pixels by their side."""

    def decode_one(
        decode: Decoder, one: tuple[ImageLocation, Content, memoryview]
    ) -> tuple[Content, Sizes | ImageError]:
        place, content, data = one
        try:
            return content, {side: decode_stored(place, data, decode, side) for side in sides_of(content.sha256)}
        except ImageError as error:
            return content, error

    return map_decoded(runtime.settings, attempt, decode_one, with_shards(runtime, there), len(there))
