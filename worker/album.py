"""The pictures of a training, each decoded once: what looks for near-duplicates reads them all, before their parts."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from core.errors import ErrorCode, ImageError
from core.parts import Part
from model.pictures import Chosen
from worker.memory import PixelStore


class Album:
    """Pixels by content and size, or why there are none.

    Args:
        store: Gives room for the pixels.
        sides: Height and width in pixels that pictures of each part shall have.
    """

    def __init__(self, store: PixelStore, sides: Mapping[Part, int]) -> None:
        self.sides = sides
        self.failed: dict[bytes, ErrorCode] = {}
        self._store = store
        self._arrays: dict[int, NDArray[np.uint8]] = {}
        self._rows: dict[int, dict[bytes, int]] = {}

    @property
    def common_side_px(self) -> int | None:
        """The side of all pictures, if it is the same in every part."""
        one, *others = set(self.sides.values())
        return None if others else one

    def make_room(self, n: int, side_px: int) -> None:
        """Be ready for `n` pictures of a size; what was made for a size before stays.

        Raises:
            Invalid: There is no room.
        """
        if side_px not in self._arrays:
            self._arrays[side_px], self._rows[side_px] = self._store.make_pictures(n, side_px), {}

    def lacks(self, sha256: bytes, side_px: int) -> bool:
        """Whether a content has not been decoded to this size yet."""
        return sha256 not in self.failed and sha256 not in self._rows.get(side_px, {})

    def add(self, sha256: bytes, found: NDArray[np.uint8] | ImageError) -> None:
        """Keep what came of decoding a content: uint8 (S, S, 3), or the error."""
        if isinstance(found, ImageError):
            self.failed[sha256] = found.code
            return
        rows = self._rows[len(found)]
        row = rows.setdefault(sha256, len(rows))
        self._arrays[len(found)][row] = found

    def choose(self, contents: Sequence[bytes], side_px: int) -> Chosen:
        """The pictures of contents that were decoded to this size."""
        rows = self._rows[side_px]
        return Chosen(self._arrays[side_px], np.array([rows[sha256] for sha256 in contents], np.intp))

    def failures_of(self, contents: Collection[bytes]) -> list[ErrorCode]:
        """Why some of these contents have no pictures."""
        return [self.failed[sha256] for sha256 in contents if sha256 in self.failed]
