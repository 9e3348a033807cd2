import numpy as np
import pytest
import tensorflow as tf

from model.training.augmentation import NONE, SEED, STRONG, Augmentation, augment
from tests.model.conftest import draw_images


def run(images, how, side_px=64, seed=(1, 2)):
    return augment(tf.constant(images), side_px, how, tf.constant(seed, tf.int32)).numpy()


def test_no_augmentation_leaves_the_pixels():
    images = draw_images(4, 64)
    np.testing.assert_array_equal(run(images, NONE), images)


def test_a_larger_picture_is_shown_whole():
    small, large = draw_images(4, 64), draw_images(4, 80)
    difference = np.abs(run(large, NONE).astype(int) - small)
    assert difference.mean() < 2  # the same waves, sampled at other places


@pytest.mark.parametrize("how", [SEED, STRONG])
def test_pictures_keep_type_and_get_the_networks_size(how):
    result = run(draw_images(5, 80), how)
    assert result.shape == (5, 64, 64, 3)
    assert result.dtype == np.uint8


def test_the_same_seed_gives_the_same_pictures_and_another_seed_others():
    images = draw_images(4, 80)
    np.testing.assert_array_equal(run(images, STRONG), run(images, STRONG))
    assert np.abs(run(images, STRONG, seed=(1, 3)).astype(int) - run(images, STRONG)).mean() > 5


def test_equal_pictures_of_a_batch_are_varied_differently():
    images = np.repeat(draw_images(1, 64), 6, axis=0)
    assert len({picture.tobytes() for picture in run(images, STRONG)}) == 6


def test_a_flip_mirrors_about_half_of_the_pictures_exactly():
    images = draw_images(64, 32)
    result = run(images, Augmentation(flip=True), side_px=32)
    same = (result == images).all(axis=(1, 2, 3))
    mirrored = (result == images[:, :, ::-1]).all(axis=(1, 2, 3))
    assert (same ^ mirrored).all()
    assert 16 < mirrored.sum() < 48


def test_a_shift_moves_what_is_in_the_picture_and_repeats_the_border():
    ramp = np.broadcast_to(np.arange(0, 128, 2, dtype=np.uint8)[None, None, :, None], (32, 64, 64, 3))
    result = run(ramp, Augmentation(shift=0.25)).astype(int)
    moved = result[:, 32, 32, 0] - 64
    assert moved.min() < -8
    assert moved.max() > 8
    assert np.abs(moved).max() <= 0.25 * 64 * 2 + 1
    assert (np.diff(result[:, 32, :, 0], axis=1) >= 0).all()  # never wraps around


def test_zooming_in_shows_a_smaller_part():
    ramp = np.broadcast_to(np.arange(0, 128, 2, dtype=np.uint8)[None, None, :, None], (4, 64, 64, 3))
    result = run(ramp, Augmentation(zoom=(0.5, 0.5))).astype(int)
    spans = result[:, 32, -1, 0] - result[:, 32, 0, 0]
    assert spans == pytest.approx(126 / 2, abs=2)


def test_brightness_multiplies_all_channels_alike():
    grey = np.full((64, 8, 8, 3), (40, 80, 120), np.uint8)
    result = run(grey, Augmentation(brightness=0.2), side_px=8)[:, 0, 0].astype(float)
    gains = result / (40, 80, 120)
    assert np.ptp(gains, axis=1).max() < 0.03
    assert 0.78 < gains.min() < 0.9
    assert 1.1 < gains.max() < 1.22


def test_saturation_keeps_a_grey_picture_grey():
    grey = np.full((8, 8, 8, 3), 100, np.uint8)
    np.testing.assert_array_equal(run(grey, Augmentation(saturation=0.9, contrast=0.5), side_px=8), grey)


def test_a_cover_is_one_rectangle_of_one_colour():
    images = draw_images(16, 64)
    changed = (run(images, Augmentation(cover=0.5)) != images).any(axis=3)
    assert changed.any(axis=(1, 2)).sum() > 8
    for picture in changed:
        rows, columns = np.flatnonzero(picture.any(axis=1)), np.flatnonzero(picture.any(axis=0))
        if len(rows):
            assert rows[-1] - rows[0] <= 32
            assert columns[-1] - columns[0] <= 32


def test_sharpness_changes_edges_and_leaves_plain_pictures_alone():
    plain = np.full((4, 32, 32, 3), 90, np.uint8)
    edge = plain.copy()
    edge[:, :, 16:] = 160
    how = Augmentation(sharpness=1.5)
    np.testing.assert_array_equal(run(plain, how, 32), plain)
    varied = run(edge, how, 32).astype(int)
    assert len({int(one[16, 16, 0]) for one in varied}) > 1  # each by an amount of its own
    np.testing.assert_array_equal(varied[:, :, :8], edge[:, :, :8])  # far from the edge nothing happens
