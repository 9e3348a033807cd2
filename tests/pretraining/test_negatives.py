import numpy as np

from pretraining.negatives import draw_negatives


def test_strangers_are_pixels_of_five_kinds():
    pictures = draw_negatives(4, 48, seed=1)
    assert pictures.shape == (20, 48, 48, 3)
    assert pictures.dtype == np.uint8
    assert len({picture.tobytes() for picture in pictures}) == 20
    assert all(picture.std() > 0 for picture in pictures)


def test_equal_seeds_draw_equal_strangers_and_others_other_ones():
    np.testing.assert_array_equal(draw_negatives(2, 32, seed=1), draw_negatives(2, 32, seed=1))
    assert (draw_negatives(2, 32, seed=1) != draw_negatives(2, 32, seed=2)).any(axis=(1, 2, 3)).all()


def test_a_slope_rises_steadily_in_one_direction():
    slopes = draw_negatives(3, 32, seed=1)[6:9].astype(int)
    for slope in slopes:
        steps = np.diff(slope, axis=1)
        assert (steps >= 0).all(axis=(0, 1)).all() or all(
            (steps[..., c] >= 0).all() or (steps[..., c] <= 0).all() for c in range(3)
        )
