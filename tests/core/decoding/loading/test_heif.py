"""HEIC: a thumbnail is used where it is large enough and shows the same picture as the tiles."""

import struct
from functools import cache

import numpy as np
import pytest

from core.base.errors import ErrorCode, ImageError
from core.decoding.images import decode, decode_image, make_thumbnail
from core.decoding.loading import heif as loading
from core.decoding.opening import open_image
from core.decoding.structure.heif import Heif
from core.decoding.structure.items import Items
from tests.support.pictures import draw, encode

SIZE = (500, 370)
PICTURE, OTHER = draw(5, size=(50, 37)).resize(SIZE), draw(8, "dog", size=(50, 37)).resize(SIZE)
BRIGHTER = PICTURE.point(lambda value: min(255, value + 30))
TILE, THUMBNAIL = 64, 160
EXIF = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0%c\0\0\0\0\0\0"


def heic(picture, **options):
    """A file as phones write it: tiles, and a thumbnail."""
    return encode(picture, "HEIF", tile_size=TILE, thumbnails=[THUMBNAIL], quality=90, **options)


@cache
def usual():
    return heic(PICTURE)


def parts_of(data):
    return Heif(data, Items.find(data))


def with_thumbnail_of(data, other):
    """A file in which another one's thumbnail is."""
    number, thumbnail = thumbnail_of(data)[0], thumbnail_of(other)[1]
    at = data.index(struct.pack(">HHH", number, 0, 0), data.index(b"iloc")) + 6
    (base,) = struct.unpack_from(">I", data, at)
    place = struct.pack(">II", len(data) - base, len(thumbnail))
    return data[: at + 6] + place + data[at + 14 :] + thumbnail


def thumbnail_of(data):
    items = Items.find(data)
    number = next(one.source for one in items.references if one.kind == b"thmb")
    return number, items.content_of(number)


@pytest.fixture
def decoded_pixels(monkeypatch):
    """How many pixels each picture has that is loaded."""
    sizes = []

    def open_and_note(data):
        image = open_image(data)
        frombytes = image.frombytes

        def note(*args):
            sizes.append(image.width * image.height)
            return frombytes(*args)

        monkeypatch.setattr(image, "frombytes", note)
        return image

    monkeypatch.setattr(loading, "open_image", open_and_note)
    return sizes


def differs(data, expected, side=64):
    return np.abs(decode_image(data, side).astype(int) - decode_image(encode(expected, "PNG"), side)).mean()


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_a_thumbnail_that_shows_the_same_saves_most_of_the_work(decoded_pixels, orientation):
    data = heic(PICTURE, exif=EXIF % orientation)
    turned = PICTURE.rotate({1: 0, 3: 180, 6: 270}[orientation], expand=True)
    assert differs(data, turned) < 4
    assert sum(decoded_pixels) < SIZE[0] * SIZE[1] / 3


def test_a_thumbnail_of_another_picture_is_not_used(decoded_pixels):
    stale = with_thumbnail_of(usual(), heic(OTHER))
    assert differs(stale, PICTURE) < 4
    assert SIZE[0] * SIZE[1] in decoded_pixels


def test_a_thumbnail_of_an_edited_picture_is_not_used(decoded_pixels):
    assert differs(with_thumbnail_of(heic(BRIGHTER), usual()), BRIGHTER) < 4
    assert SIZE[0] * SIZE[1] in decoded_pixels


@pytest.mark.parametrize("side", [THUMBNAIL, 200])
def test_a_thumbnail_smaller_than_what_is_wanted_is_not_used(decoded_pixels, side):
    decode(usual(), side)
    assert decoded_pixels == [SIZE[0] * SIZE[1]]


@pytest.mark.parametrize("options", [{"tile_size": TILE}, {"thumbnails": [THUMBNAIL]}])
def test_without_tiles_or_without_a_thumbnail_all_is_decoded(decoded_pixels, options):
    assert differs(encode(PICTURE, "HEIF", quality=90, **options), PICTURE) < 4
    assert decoded_pixels == [SIZE[0] * SIZE[1]]


def test_a_small_view_is_made_of_the_thumbnail(decoded_pixels):
    make_thumbnail(usual(), 128)
    assert sum(decoded_pixels) < SIZE[0] * SIZE[1] / 3


def test_tiles_count_and_not_what_is_shown_of_them():
    data = usual()
    small = data.replace(struct.pack(">HH", *SIZE), struct.pack(">HH", 16, 16))
    small = small.replace(struct.pack(">II", *SIZE), struct.pack(">II", 16, 16))
    with pytest.raises(ImageError) as caught:
        decode(small, 8, max_pixels=TILE * TILE * 8 * 6 // 2 - 1)
    assert caught.value.code == ErrorCode.TOO_MANY_PIXELS
    assert "tiles" in caught.value.detail


def test_a_tile_is_a_picture_of_its_own():
    data = usual()
    grid = parts_of(data).find_grid()
    assert (grid.size, grid.tile_size, grid.n_columns, grid.n_rows) == (SIZE, (TILE, TILE), 8, 6)
    tile = np.asarray(open_image(parts_of(data).extract(grid.tiles[9])).convert("RGB")).astype(int)
    assert np.abs(tile - np.asarray(PICTURE.crop((TILE, TILE, 2 * TILE, 2 * TILE)))).mean() < 8


def test_any_bytes_may_be_in_the_boxes():
    data = heic(draw(1, size=(200, 130)))
    end = data.index(b"mdat")
    for at in range(24, end, 13):
        for changed in (data[:at], data[:at] + b"\xff" + data[at + 1 :], data[:at] + bytes(4) + data[at + 4 :]):
            heif, grid = loading._read_grid(changed)
            if heif and grid:
                loading._is_like_its_tiles((160, 104), heif, grid)


@pytest.mark.parametrize("codec", ["avc1", "evc1", "j2k1", "jpeg", "unci", "vvc1"])
@pytest.mark.parametrize("options", [{}, {"tile_size": TILE}])
def test_a_picture_in_another_codec_is_refused_by_name(codec, options):
    data = encode(draw(1, size=(100, 70)), "HEIF", **options).replace(b"hvc1", codec.encode())
    with pytest.raises(ImageError) as caught:
        decode(data, 8)
    assert caught.value.code == ErrorCode.UNSUPPORTED_FORMAT
    assert caught.value.detail.startswith("HEIF with ")
