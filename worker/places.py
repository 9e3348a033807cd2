"""Contents with the bytes of the shards that they are in, each shard read once."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from core.datasets import Content, Place
from core.errors import BlobMissing
from worker.runtime import Runtime


def with_shards(
    runtime: Runtime, there: Sequence[tuple[Place, Content]]
) -> Iterator[tuple[Place, Content, memoryview]]:
    """Each content with the bytes of its shard; in order of shards, so that each is read once."""
    for blob_key, together in groupby(there, key=lambda one: one[0].blob_key):
        try:
            data = runtime.blobs.get(blob_key)
        except BlobMissing:  # deleted since it was looked for
            continue
        for place, content in together:
            yield place, content, data
