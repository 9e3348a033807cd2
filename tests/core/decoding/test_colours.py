"""Pictures with a colour profile are shown in true colours, and a bad profile costs nothing."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from core.decoding.images import decode_image, make_thumbnail
from tests.support import pictures
from tests.support.profiles import ADOBE_RGB, DISPLAY_P3, grey_profile, rgb_profile

COLOUR = (200, 60, 40)
P3 = rgb_profile(DISPLAY_P3)


def drawn_in(profile, colour=COLOUR, mode="RGB"):
    """A plain picture whose numbers mean this colour of sRGB in a profile."""
    target = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    plain = Image.new("RGB", (32, 32), colour)
    return ImageCms.profileToProfile(plain, ImageCms.createProfile("sRGB"), target, outputMode=mode)


def assert_shows(pixels, colour=COLOUR, tolerance=4):
    np.testing.assert_allclose(np.asarray(pixels).reshape(-1, 3).mean(axis=0), colour, atol=tolerance)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
@pytest.mark.parametrize("primaries", [DISPLAY_P3, ADOBE_RGB], ids=["Display P3", "Adobe RGB"])
def test_colours_of_a_profile_become_those_of_srgb(primaries, format):
    profile = rgb_profile(primaries)
    image = drawn_in(profile)
    assert np.abs(np.asarray(image)[0, 0].astype(int) - COLOUR).max() > 10
    data = pictures.encode(image, format, icc_profile=profile)
    assert_shows(decode_image(data, 16), tolerance=6)
    assert_shows(Image.open(io.BytesIO(make_thumbnail(data, 32))), tolerance=6)


def test_transparent_areas_stay_white():
    image = drawn_in(P3).convert("RGBA")
    image.putalpha(Image.new("L", (32, 16), 255).crop((0, 0, 32, 32)))
    pixels = decode_image(pictures.encode(image, "PNG", icc_profile=P3), 8)
    assert_shows(pixels[:3])
    assert (pixels[6:] == 255).all()


def test_greys_of_another_gamma_are_converted():
    linear = Image.new("L", (16, 16), 100)
    data = pictures.encode(linear, "PNG", icc_profile=grey_profile(1.0))
    assert_shows(decode_image(data, 8), (168, 168, 168))


@pytest.mark.parametrize(
    "profile", [b"", b"no profile", P3[:200], P3[:128] + bytes(len(P3)), P3 + bytes(5 * 2**20), grey_profile(1.0)]
)
def test_a_profile_that_is_broken_too_large_or_for_other_colours_is_left_out(profile):
    data = pictures.encode(Image.new("RGB", (16, 16), COLOUR), "JPEG", icc_profile=profile)
    assert_shows(decode_image(data, 8))


def test_profiles_of_random_bytes_only_change_colours():
    rng = np.random.default_rng(1)
    for _ in range(150):
        profile = bytearray(P3)
        for at in rng.integers(20, len(profile), 6):
            profile[at] = rng.integers(256)
        data = pictures.encode(Image.new("RGB", (8, 8), COLOUR), "JPEG", icc_profile=bytes(profile))
        assert decode_image(data, 8).shape == (8, 8, 3)
