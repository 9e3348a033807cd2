"""Many images as one array, and subsets of it without a copy."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray


class ImageSubset:
    """A subset of the images of an array. Like an array it can be indexed by a slice or by an array of integers.

    Args:
        images: uint8 (M, S, S, 3), 0 to 255.
        rows: intp (N,), 0 to M - 1: the images of the subset, in their order.
    """

    def __init__(self, images: NDArray[np.uint8], rows: NDArray[np.intp]) -> None:
        self._images, self._rows = images, rows
        self.shape, self.dtype, self.ndim = (len(rows), *images.shape[1:]), images.dtype, images.ndim

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, selection: Any) -> NDArray[np.uint8]:
        images: NDArray[np.uint8] = self._images[self._rows[selection]]
        return images

    def keep(self, is_kept: NDArray[np.bool_]) -> "ImageSubset":
        """The images for which `is_kept`, bool (N,), is true."""
        return ImageSubset(self._images, self._rows[is_kept])


Images: TypeAlias = NDArray[np.uint8] | ImageSubset
