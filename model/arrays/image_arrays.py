"""Many pictures as one array, and some of them without a copy."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray


class ImageSubset:
    """Some pictures of an array; looks like an array that can be indexed by a slice or by whole numbers.

    Args:
        images: uint8 (M, S, S, 3).
        rows: Whole numbers (N,), 0 to M - 1: which, in which order.
    """

    def __init__(self, images: NDArray[np.uint8], rows: NDArray[np.intp]) -> None:
        self._images, self._rows = images, rows
        self.shape, self.dtype, self.ndim = (len(rows), *images.shape[1:]), images.dtype, images.ndim

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, chosen: Any) -> NDArray[np.uint8]:
        shown: NDArray[np.uint8] = self._images[self._rows[chosen]]
        return shown

    def keep(self, is_kept: NDArray[np.bool_]) -> "ImageSubset":
        """Those of them for which `is_kept`, (N,), is true."""
        return ImageSubset(self._images, self._rows[is_kept])


Images: TypeAlias = NDArray[np.uint8] | ImageSubset
