"""TIFFs of all kinds come out as the picture that was drawn, or are refused by name: never as another picture."""

from itertools import product

import numpy as np
import pytest

from core.base.errors import ErrorCode, ImageError
from core.decoding.images import decode, decode_image
from core.decoding.loading.files import load
from core.decoding.rgb import flatten
from tests.support.tiff_files import HEIGHT, WIDTH, drawing, tiff

RGB = drawing()
GREY = RGB.mean(axis=2, keepdims=True).astype(np.uint8)
ALPHA = np.full((HEIGHT, WIDTH, 1), 255, np.uint8)
ALPHA[:10] = 128
SHARES = ALPHA / 255
ON_WHITE = RGB * SHARES + 255 * (1 - SHARES)
KINDS = {  # photometric, samples of 8 bits, extra samples, what it shows
    "white is zero": (0, 255 - GREY, (), GREY),
    "grey": (1, GREY, (), GREY),
    "grey with alpha": (1, np.concatenate((GREY, ALPHA), axis=2), (2,), GREY * SHARES + 255 * (1 - SHARES)),
    "RGB": (2, RGB, (), RGB),
    "RGB with alpha": (2, np.concatenate((RGB, ALPHA), axis=2), (2,), ON_WHITE),
    "RGB multiplied by alpha": (2, np.concatenate((RGB * SHARES, ALPHA), axis=2), (1,), ON_WHITE),
    "RGB and infrared": (2, np.concatenate((RGB, 255 - ALPHA), axis=2), (0,), RGB),
    "RGB and two more": (2, np.concatenate((RGB, 255 - ALPHA, ALPHA), axis=2), (0, 0), RGB),
    "CMYK": (5, np.concatenate((255 - RGB, np.zeros_like(ALPHA)), axis=2), (), RGB),
}
NUMBERS = {
    "8 bits": (np.uint8, 8),
    "12 bits": (np.uint16, 12),
    "16 bits": (np.uint16, 16),
    "32 bits": (np.uint32, 32),
    "16 bits with sign": (np.int16, 15),
    "half": (np.float16, 0),
    "float": (np.float32, 0),
    "double": (np.float64, 0),
}


def show(data):
    """The picture at its own size, 8 bits, on white."""
    image = load(data, lambda width, height: (width, height), 10**6).image
    return np.asarray(flatten(image, image.size)).astype(float)


def in_numbers(values, numbers):
    dtype, bits = NUMBERS[numbers]
    return (values / 255).astype(dtype) if not bits else np.rint(values / 255.0 * (2**bits - 1)).astype(dtype)


@pytest.mark.parametrize("numbers", NUMBERS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_tiff_shows_what_was_drawn_however_its_samples_lie(kind, numbers):
    photometric, values, extra, shown = KINDS[kind]
    samples = in_numbers(values, numbers)
    bits = 12 if numbers == "12 bits" else None
    for order, planar, tiled, compression in product("<>", (False, True), (False, True), (1, 8, 32773)):
        data = tiff(
            samples,
            photometric,
            bits=bits,
            order=order,
            is_planar=planar and samples.shape[2] > 1,
            is_tiled=tiled,
            compression=compression,
            tags={338: extra} if extra else {},
        )
        difference = np.abs(show(data) - shown).mean()
        assert difference < 2.5, (order, planar, tiled, compression)


@pytest.mark.parametrize(("numbers", "predictor"), [("8 bits", 2), ("16 bits", 2), ("32 bits", 2), ("float", 3)])
@pytest.mark.parametrize("kind", ["grey", "RGB", "RGB with alpha"])
def test_predictors_are_undone(kind, numbers, predictor):
    photometric, values, extra, shown = KINDS[kind]
    for order, tiled in product("<>", (False, True)):
        data = tiff(
            in_numbers(values, numbers),
            photometric,
            order=order,
            is_tiled=tiled,
            compression=8,
            predictor=predictor,
            tags={338: extra} if extra else {},
        )
        assert np.abs(show(data) - shown).mean() < 2.5, (order, tiled)


@pytest.mark.parametrize("numbers", ["8 bits", "12 bits", "16 bits"])
@pytest.mark.parametrize("compression", [1, 8])
def test_bits_in_reverse_order_are_turned(numbers, compression):
    bits = 12 if numbers == "12 bits" else None
    for photometric, values in ((0, 255 - GREY), (1, GREY)):
        data = tiff(in_numbers(values, numbers), photometric, bits=bits, compression=compression, fill_order=2)
        assert np.abs(show(data) - GREY).mean() < 2.5


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_few_bits_of_colour_are_read(bits):
    few = RGB >> (8 - bits)
    assert np.abs(show(tiff(few, 2, bits=bits)) - few * (255.0 / (2**bits - 1))).mean() < 1


@pytest.mark.parametrize("bits", [1, 2, 4, 12])
@pytest.mark.parametrize("share", [1.0, 0.5])
def test_alpha_of_few_bits_is_alpha(bits, share):
    most = 2**bits - 1
    colours = RGB.astype(np.uint32) * most // 255
    alpha = np.full_like(colours[..., :1], int(most * share))
    shown = alpha / most
    expected = colours * 255.0 / most * shown + 255 * (1 - shown)
    data = tiff(np.concatenate((colours, alpha), axis=2).astype(np.uint16), 2, bits=bits, tags={338: (2,)})
    assert np.abs(show(data) - expected).mean() < 2.5


@pytest.mark.parametrize("orientation", range(2, 9))
def test_sixteen_bits_are_turned_as_eight_are(orientation):
    eight, sixteen = (
        decode_image(tiff(samples, 2, tags={274: (orientation,)}), 24) for samples in (RGB, in_numbers(RGB, "16 bits"))
    )
    assert np.abs(eight.astype(int) - sixteen).max() <= 1


def test_the_greatest_value_that_is_named_is_white():
    samples = (GREY // 2).astype(np.uint16) * 16
    assert np.abs(show(tiff(samples, 1, tags={281: (4095,)})) - GREY // 2).mean() < 1


@pytest.mark.parametrize("compression", [34887, 34933, 50001, 50002])
def test_a_compression_that_is_not_read_is_named(compression):
    data = tiff(RGB, 2, tags={259: (compression,)})
    with pytest.raises(ImageError, match="TIFF with 3 8-bit unsigned RGB samples and") as refused:
        decode_image(data, 16)
    assert refused.value.code == ErrorCode.UNSUPPORTED_FORMAT


def test_samples_of_different_sizes_are_refused_by_name():
    with pytest.raises(ImageError) as refused:
        decode_image(tiff(in_numbers(RGB, "16 bits"), 2, tags={258: (16, 32, 16)}), 16)
    assert refused.value.code == ErrorCode.UNSUPPORTED_FORMAT


@pytest.mark.parametrize("tag", [256, 257, 277])
def test_numbers_made_for_harm_cost_no_memory(tag):
    with pytest.raises(ImageError):
        decode_image(tiff(in_numbers(RGB, "16 bits"), 2, tags={tag: (65535,), 258: (16,), 339: (1,)}), 16)


def test_nine_tenths_of_wide_samples_are_read_and_fewer_are_damage():
    whole = tiff(in_numbers(np.repeat(RGB, 1, axis=0), "16 bits"), 2)
    row = WIDTH * 6
    start = int.from_bytes(whole[4:8], "little")
    shifted = bytearray(whole)
    del shifted[start - row : start]  # its last row
    shifted[4:8] = (start - row).to_bytes(4, "little")
    with pytest.raises(ImageError) as refused:
        decode(bytes(shifted[: 8 + row * 20]), 16)
    assert refused.value.code == ErrorCode.TRUNCATED
