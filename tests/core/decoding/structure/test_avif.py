"""The sizes in AVIF's streams, for every way in which the encoder writes them."""

import pytest
from PIL import Image

from core.decoding.structure.avif import frame_sizes
from tests.support.pictures import draw, encode, test_data


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
@pytest.mark.parametrize("size", [(1, 1), (64, 64), (1000, 20), (321, 457)])
def test_a_still_picture_has_the_size_of_its_stream(size, mode):
    sizes = frame_sizes(encode(Image.new(mode, size), "AVIF", speed=10))
    assert sizes
    assert set(sizes) == {size}


def test_the_first_sample_of_a_sequence_has_its_size():
    data = encode(draw(1), "AVIF", save_all=True, append_images=[draw(2)], speed=10)
    assert (120, 90) in frame_sizes(data)


@pytest.mark.parametrize("length", range(0, 400, 7))
def test_a_header_that_ends_early_has_no_size_or_the_right_one(length):
    assert set(frame_sizes(encode(draw(1), "AVIF", speed=10)[:length])) <= {(120, 90)}


def test_every_avif_of_the_world_has_a_size():
    files = [path.read_bytes() for path in (test_data() / "odd-images").glob("*.avif")]
    assert files
    assert all(frame_sizes(data) for data in files)
