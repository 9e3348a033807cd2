"""The pictures of a training, each decoded once: what looks for near-duplicates reads them all, before their parts.

What is nearly the same as another may then get another part than expected, and with it another size; these few are
decoded again.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from core.base.errors import ErrorCode, ImageError
from core.training.splits import Split
from model.arrays.image_arrays import Chosen
from worker.training.pixel_store import PixelStore

SPARE = 0.02  # room for those whose size changes


class Album:
    """Pixels by content, or why there are none.

    Args:
        store: Gives room for the pixels.
        sides: Height and width in pixels that pictures of each part shall have.
    """

    def __init__(self, store: PixelStore, sides: Mapping[Split, int]) -> None:
        self.failed: dict[bytes, ErrorCode] = {}
        self._store, self._sides = store, sides
        self._side_of: dict[bytes, int] = {}
        self._arrays = {side_px: store.make_pictures(0, side_px) for side_px in sides.values()}
        self._rows: dict[int, dict[bytes, int]] = {side_px: {} for side_px in sides.values()}

    def expect(self, parts: Mapping[bytes, Split]) -> None:
        """Be ready for these contents, whatever was said of their parts before.

        Raises:
            Invalid: There is no room.
        """
        self._side_of = {sha256: self._sides[part] for sha256, part in parts.items()}
        for side_px, n in Counter(self._side_of[sha256] for sha256 in parts if self.lacks(sha256)).items():
            self._make_room(len(self._rows[side_px]) + n, side_px)

    def side_of(self, sha256: bytes) -> int:
        """Height and width in pixels that a content shall have."""
        return self._side_of[sha256]

    def lacks(self, sha256: bytes) -> bool:
        """Whether a content has not been decoded to its size yet."""
        return sha256 not in self.failed and sha256 not in self._rows[self._side_of[sha256]]

    def add(self, sha256: bytes, found: NDArray[np.uint8] | ImageError) -> None:
        """Keep what came of decoding a content: uint8 (S, S, 3), or the error."""
        if isinstance(found, ImageError):
            self.failed[sha256] = found.code
            return
        rows = self._rows[len(found)]
        row = rows.setdefault(sha256, len(rows))
        self._arrays[len(found)][row] = found

    def choose(self, part: Split, contents: Sequence[bytes]) -> Chosen:
        """The pictures of contents of a part."""
        side_px = self._sides[part]
        rows = self._rows[side_px]
        return Chosen(self._arrays[side_px], np.array([rows[sha256] for sha256 in contents], np.intp))

    def failures_of(self, contents: Collection[bytes]) -> list[ErrorCode]:
        """Why some of these contents have no pictures."""
        return [self.failed[sha256] for sha256 in contents if sha256 in self.failed]

    def _make_room(self, n: int, side_px: int) -> None:
        before, n_before = self._arrays[side_px], len(self._rows[side_px])
        if n > len(before):
            self._arrays[side_px] = self._store.make_pictures(n + int(n * SPARE), side_px)
            self._arrays[side_px][:n_before] = before[:n_before]
