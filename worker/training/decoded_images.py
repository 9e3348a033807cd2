"""The decoded images of a training, each decoded once: the search for near-duplicates reads them before the split.

A near-duplicate may then get another split than expected, and with it another size; these few are decoded again.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from core.base.errors import ErrorCode, ImageError
from core.training.splits import Split
from model.arrays.image_arrays import ImageSubset
from worker.training.pixel_store import PixelStore

SPARE = 0.02  # extra memory for images whose size changes


class DecodedImages:
    """Pixels by content, or the error of a content that cannot be decoded.

    Args:
        store: Provides memory for the pixels.
        sides: Height and width in pixels of the images in each split.
    """

    def __init__(self, store: PixelStore, sides: Mapping[Split, int]) -> None:
        self.failed: dict[bytes, ErrorCode] = {}
        self._store, self._sides = store, sides
        self._side_of: dict[bytes, int] = {}
        self._arrays = {side_px: store.make_images(0, side_px) for side_px in sides.values()}
        self._rows: dict[int, dict[bytes, int]] = {side_px: {} for side_px in sides.values()}

    def expect(self, splits: Mapping[bytes, Split]) -> None:
        """Set the splits of these contents, in place of earlier ones, and reserve memory for their pixels.

        Raises:
            Invalid: There is not enough memory or disk space.
        """
        self._side_of = {sha256: self._sides[split] for sha256, split in splits.items()}
        for side_px, n in Counter(self._side_of[sha256] for sha256 in splits if self.lacks(sha256)).items():
            self._reserve(len(self._rows[side_px]) + n, side_px)

    def side_of(self, sha256: bytes) -> int:
        """Height and width in pixels to decode a content to."""
        return self._side_of[sha256]

    def lacks(self, sha256: bytes) -> bool:
        """Whether a content has not been decoded to its size yet."""
        return sha256 not in self.failed and sha256 not in self._rows[self._side_of[sha256]]

    def add(self, sha256: bytes, decoded: NDArray[np.uint8] | ImageError) -> None:
        """Store a content's pixels, uint8 (S, S, 3), 0 to 255, or its error."""
        if isinstance(decoded, ImageError):
            self.failed[sha256] = decoded.code
            return
        rows = self._rows[len(decoded)]
        row = rows.setdefault(sha256, len(rows))
        self._arrays[len(decoded)][row] = decoded

    def select(self, split: Split, contents: Sequence[bytes]) -> ImageSubset:
        """The images of contents of one split, in the order of the contents."""
        side_px = self._sides[split]
        rows = self._rows[side_px]
        return ImageSubset(self._arrays[side_px], np.array([rows[sha256] for sha256 in contents], np.intp))

    def failures_of(self, contents: Collection[bytes]) -> list[ErrorCode]:
        """The errors of those of these contents that cannot be decoded."""
        return [self.failed[sha256] for sha256 in contents if sha256 in self.failed]

    def _reserve(self, n: int, side_px: int) -> None:
        before, n_before = self._arrays[side_px], len(self._rows[side_px])
        if n > len(before):
            self._arrays[side_px] = self._store.make_images(n + int(n * SPARE), side_px)
            self._arrays[side_px][:n_before] = before[:n_before]
