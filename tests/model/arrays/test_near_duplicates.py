"""Pictures that are nearly the same, and pictures that only look alike."""

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from core.decoding.images import decode_image
from model.arrays.near_duplicates import find_pairs, sketch
from tests.support.pictures import encode, test_data


def paint(seed, size=(240, 180)):
    """A soft picture full of shapes, unlike any other."""
    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(0, 255, (9, 12, 3)).astype(np.uint8))
    return coarse.resize(size, Image.Resampling.BICUBIC)


def crop(image, left, top, right, bottom):
    width, height = image.size
    return image.crop((int(left * width), int(top * height), int(right * width), int(bottom * height)))


COPIES = {
    "scaled": lambda image: encode(image.resize((image.width // 2, image.height // 2))),
    "recompressed": lambda image: encode(image, quality=25),
    "cropped at the left and top": lambda image: encode(crop(image, 0.05, 0.05, 1, 1)),
    "cropped at the right": lambda image: encode(crop(image, 0, 0, 0.95, 1)),
    "cropped all around": lambda image: encode(crop(image, 0.025, 0.025, 0.975, 0.975)),
    "mirrored": lambda image: encode(ImageOps.mirror(image)),
    "mirrored, cropped and scaled": lambda image: encode(
        ImageOps.mirror(crop(image, 0.05, 0, 1, 0.95)).resize((150, 100))
    ),
}


def sketches_of(files):
    return sketch(np.stack([decode_image(data, 64) for data in files]))


@pytest.mark.parametrize("how", COPIES)
def test_a_copy_is_found(how):
    originals = [paint(seed) for seed in range(40)]
    files = [encode(image) for image in originals] + [COPIES[how](image) for image in originals]
    pairs = find_pairs(sketches_of(files))
    assert pairs == [(n, 40 + n) for n in range(40)]


def test_different_pictures_are_not_alike():
    assert find_pairs(sketches_of([encode(paint(seed)) for seed in range(300)])) == []


def test_pictures_that_show_nothing_are_not_like_each_other():
    grey = [encode(Image.new("RGB", (50, 50), (level,) * 3)) for level in (10, 120, 121, 250)]
    assert find_pairs(sketches_of(grey)) == []


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_pictures_are_no_trouble(n):
    assert (
        find_pairs(sketches_of([encode(paint(seed)) for seed in range(n)]) if n else np.empty((0, 32, 32), np.uint8))
        == []
    )


@pytest.mark.parametrize("side", [32, 50, 80, 224, 280])
def test_the_side_hardly_matters(side):
    data = encode(paint(1))
    usual, other = (sketch(decode_image(data, px)[None])[0].astype(int) for px in (64, side))
    assert np.abs(usual - other).mean() < 2


def test_a_side_that_is_too_small_is_refused():
    with pytest.raises(ValueError, match="at least 32 pixels; got 31"):
        sketch(np.zeros((1, 31, 31, 3), np.uint8))


def test_photographs_copies_of_them_and_nothing_else():
    files = [path.read_bytes() for path in sorted((test_data() / "dogs-vs-cats" / "originals").rglob("*.jpg"))[:200]]
    copies = []
    for number, data in enumerate(files[:70]):
        image = Image.open(io.BytesIO(data)).convert("RGB")
        copies.append(list(COPIES.values())[number % len(COPIES)](image))
    found = find_pairs(sketches_of([*files, *copies]))
    planted = [(n, 200 + n) for n in range(70)]
    assert len(set(planted) - set(found)) == 0
    assert len(set(found) - set(planted)) <= 2  # the photographs have a twin or two of their own
