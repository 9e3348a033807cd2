"""Black and white of pictures with more than 8 bits."""

import numpy as np
import pytest
from PIL import Image

from core.decoding.images import decode_image
from core.decoding.ranges import Range, find_range, to_8_bits
from tests.support import pictures

EIGHT = np.asarray(pictures.draw(3).convert("L"))


def png_16(values, sbit=None):
    data = pictures.encode(Image.fromarray(values.astype(np.uint16)), "PNG")
    if sbit is None:
        return data
    chunk = pictures.png_chunk(b"sBIT", bytes((sbit,)))
    return data[:33] + chunk + data[33:]


@pytest.mark.parametrize("bits", [9, 10, 11, 12, 13, 14, 16])
def test_a_picture_that_uses_few_of_16_bits_looks_as_in_8(bits):
    wide = np.rint(EIGHT / 255.0 * (2**bits - 1))
    difference = decode_image(png_16(wide), 64).astype(int) - decode_image(
        pictures.encode(Image.fromarray(EIGHT), "PNG"), 64
    )
    assert np.abs(difference).max() <= 2


@pytest.mark.parametrize("sbit", [10, 12, 14])
def test_a_dark_picture_has_the_range_that_its_file_names(sbit):
    dark = np.linspace(0, 30, EIGHT.size).astype(int).reshape(EIGHT.shape)
    values = dark << (sbit - 8)
    assert np.abs(decode_image(png_16(values, sbit), 32)[..., 0].mean() - dark.mean()) < 1


@pytest.mark.parametrize("sbit", [12, 15])
def test_colours_have_the_range_that_their_file_names(sbit):
    colours = np.asarray(pictures.draw(3))
    data = pictures.png_of_16_bits(np.rint(colours / 255.0 * (2**sbit - 1)).astype(np.uint16))
    named = data[:33] + pictures.png_chunk(b"sBIT", bytes((sbit,) * 3)) + data[33:]
    expected = decode_image(pictures.encode(Image.fromarray(colours), "PNG"), 64).astype(int)
    assert np.abs(decode_image(named, 64) - expected).max() <= 2


def test_values_scaled_to_all_bits_go_beyond_what_sbit_says():
    wide = EIGHT.astype(int) * 257
    assert np.abs(decode_image(png_16(wide, 10), 32)[..., 0].mean() - EIGHT.mean()) < 1


def test_a_thermal_picture_is_stretched_from_its_coldest_to_its_warmest():
    thermal = 27_000 + EIGHT.astype(int) * 12
    mapped = to_8_bits(thermal.astype(np.uint16)[..., None])
    assert np.percentile(mapped, 1) < 64
    assert np.percentile(mapped, 99.9) == 255


def test_one_hot_pixel_does_not_decide():
    values = EIGHT.astype(np.uint16)[..., None] * 4
    values[5, 5] = 65535
    assert find_range(values) == Range(0.0, 1023.0)


@pytest.mark.parametrize("grey", [0, 300, 4660, 30_000, 65_535])
def test_a_plain_area_keeps_its_grey(grey):
    assert (to_8_bits(np.full((9, 9, 1), grey, np.uint16)) == round(grey / 257)).all()


def test_signed_values_below_zero_are_seen():
    values = np.linspace(-2000, 2000, 4000).astype(np.int16).reshape(40, 100, 1)
    mapped = to_8_bits(values)
    assert mapped.min() == 0
    assert mapped.max() == 255


@pytest.mark.parametrize("bits", [10, 12])
@pytest.mark.parametrize("colour_type", [2, 4, 6])
def test_colours_and_alpha_of_few_bits_look_as_in_8(bits, colour_type):
    image = pictures.draw(5)
    eight = np.asarray(image if colour_type != 4 else image.convert("L")).reshape(90, 120, -1)
    if colour_type > 2:
        eight = np.concatenate((eight, np.full((90, 120, 1), 255, np.uint8)), axis=2)
    wide = np.rint(eight / 255.0 * (2**bits - 1)).astype(np.uint16)
    shown = decode_image(pictures.png_of_16_bits(wide), 48).astype(int)
    expected = decode_image(pictures.encode(image if colour_type != 4 else image.convert("L"), "PNG"), 48)
    assert np.abs(shown - expected).max() <= 3
