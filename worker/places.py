"""Contents with the bytes of the shards that they are in, each shard read once."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from core import datasets
from core.datasets import Content, Place
from core.errors import BlobMissing
from worker.runtime import Runtime


def locate(runtime: Runtime, contents: Sequence[Content]) -> list[tuple[Place, Content]]:
    """Where the contents are that still exist, in the order of shards."""
    with runtime.db.read() as session:
        places = datasets.find_places(session, [content.image_id for content in contents])
    return sorted(
        ((places[content.image_id], content) for content in contents if content.image_id in places),
        key=lambda one: (one[0].blob_key, one[0].offset),
    )


def with_shards(
    runtime: Runtime, there: Sequence[tuple[Place, Content]]
) -> Iterator[tuple[Place, Content, memoryview]]:
    """Each content that `locate` gave with the bytes of its shard, of which each is read once."""
    for blob_key, together in groupby(there, key=lambda one: one[0].blob_key):
        try:
            data = runtime.blobs.get(blob_key)
        except BlobMissing:  # deleted since it was looked for
            continue
        for place, content in together:
            yield place, content, data
