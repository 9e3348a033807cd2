"""Some pictures of an array, without a copy."""

import numpy as np

from model.arrays.image_arrays import ImageSubset

IMAGES = np.arange(6 * 2 * 2 * 3, dtype=np.uint8).reshape(6, 2, 2, 3)


def test_chosen_pictures_are_indexed_like_an_array() -> None:
    rows = np.array([5, 0, 3])
    chosen, array = ImageSubset(IMAGES, rows), IMAGES[rows]
    assert (chosen.shape, chosen.dtype, chosen.ndim, len(chosen)) == (array.shape, array.dtype, array.ndim, 3)
    for index in (slice(1, None), slice(0, 2), np.array([2, 0])):
        np.testing.assert_array_equal(chosen[index], array[index])


def test_of_chosen_pictures_some_are_kept_in_their_order() -> None:
    kept = ImageSubset(IMAGES, np.array([5, 0, 3])).keep(np.array([True, False, True]))
    np.testing.assert_array_equal(kept[:], IMAGES[[5, 3]])


def test_what_is_written_into_the_array_is_seen_by_what_was_chosen_before() -> None:
    images = IMAGES.copy()
    chosen = ImageSubset(images, np.array([1]))
    images[1] = 7
    assert (chosen[:] == 7).all()
