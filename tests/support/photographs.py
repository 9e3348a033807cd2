"""What is sent in these tests: real photographs where there are some, drawn ones elsewhere."""

import os
from itertools import chain
from pathlib import Path

from tests.support.deadly_decoder import HELD
from tests.support.factories import make_tar
from tests.support.pictures import jpeg


def photographs(n: int) -> list[bytes]:
    """So many different pictures, cats and dogs in turn."""
    folder = os.environ.get("PAWSORT_TEST_DATA")
    if not folder:
        return [jpeg(seed, ("cat", "dog")[seed % 2]) for seed in range(n)]
    originals = Path(folder) / "dogs-vs-cats" / "val"
    pairs = zip(sorted((originals / "cats").iterdir()), sorted((originals / "dogs").iterdir()), strict=True)
    return [path.read_bytes() for path in list(chain.from_iterable(pairs))[:n]]


def make_shards(n_shards: int, n_each: int, n_free: int = 0) -> list[bytes]:
    """Tars of different pictures: `photos/000.jpg` and so on. All but the first `n_free` shards wait while held."""
    pictures = photographs(n_shards * n_each)
    files = [
        (f"photos/{number:03}.jpg", picture + (HELD if number >= n_free * n_each else b""))
        for number, picture in enumerate(pictures)
    ]
    return [make_tar(files[start : start + n_each]) for start in range(0, len(files), n_each)]
