"""Places of pictures in a row in which those that look alike stand together."""

import io
import itertools

import numpy as np
import pytest
from PIL import Image

from core.decoding.images import decode_image
from core.decoding.similarity_order import SIDE, along_curve, similarity_keys
from tests.support.browser.drawings import draw_pet, draw_scene

N = 60


@pytest.mark.parametrize(("bits", "n_axes"), [(1, 2), (3, 2), (2, 3), (2, 6)])
def test_the_curve_passes_every_cell_once_and_each_step_goes_to_a_neighbour(bits: int, n_axes: int) -> None:
    cells = np.array(list(itertools.product(range(2**bits), repeat=n_axes)))
    places = along_curve(cells, bits)
    assert sorted(places) == list(range(len(cells)))
    steps = np.abs(np.diff(cells[np.argsort(places)], axis=0))
    assert (steps.sum(axis=1) == 1).all()


def step_aside(data: bytes) -> bytes:
    """The same scene a moment later: the camera has moved a little, a cloud has passed."""
    picture = Image.open(io.BytesIO(data))
    width, height = picture.size
    moved = picture.crop((width // 40, 0, width, height - height // 40)).point(lambda value: int(value * 0.96))
    out = io.BytesIO()
    moved.save(out, "JPEG", quality=80)
    return out.getvalue()


@pytest.mark.parametrize("side", [64, 100])
def test_pictures_of_one_moment_stand_together_among_many(side: int) -> None:
    first = [draw_scene(n) if n % 4 == 0 else draw_pet("cat" if n % 2 else "dog", n) for n in range(N)]
    second = [step_aside(data) for data in first]
    places = similarity_keys(np.stack([decode_image(data, side) for data in first + second]))
    rank = np.argsort(np.argsort(places, kind="stable"))
    apart = np.abs(rank[:N] - rank[N:])
    assert np.median(apart) <= 2, "by chance it would be forty"


def test_the_place_hardly_depends_on_the_size_and_not_on_the_company() -> None:
    data = draw_pet("cat", 3)
    small, large = (similarity_keys(decode_image(data, side)[None])[0] for side in (64, 224))
    assert abs(int(small) - int(large)) < 2**60 / 1000
    many = np.stack([decode_image(draw_pet("dog", n), 64) for n in range(5)] + [decode_image(data, 64)])
    assert similarity_keys(many)[-1] == small


def test_extremes_have_places_too() -> None:
    images = np.stack([np.zeros((SIDE, SIDE, 3), np.uint8), np.full((SIDE, SIDE, 3), 255, np.uint8)])
    places = similarity_keys(images)
    assert ((places >= 0) & (places < 2**60)).all()
    assert places[0] != places[1]
    assert similarity_keys(np.empty((0, 8, 8, 3), np.uint8)).shape == (0,)
