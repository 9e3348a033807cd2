"""Photographs in few of 16 bits come out as they do in 8."""

import numpy as np
import pytest
from PIL import Image

from core.decoding.images import decode_image
from tests.support import pictures

N_PHOTOGRAPHS = 40


@pytest.mark.parametrize("bits", [10, *(pytest.param(bits, marks=pytest.mark.slow) for bits in (12, 14))])
def test_photographs_in_few_of_16_bits_look_as_in_8(bits):
    folder = pictures.test_data() / "dogs-vs-cats" / "val"
    paths = sorted(folder.rglob("*.jpg"))
    differences = []
    for path in paths[:: max(1, len(paths) // N_PHOTOGRAPHS)][:N_PHOTOGRAPHS]:
        grey = Image.open(path).convert("L")
        wide = Image.fromarray(np.asarray(grey).astype(np.uint16) << (bits - 8))
        seen, expected = (decode_image(pictures.encode(image, "PNG"), 224).astype(int) for image in (wide, grey))
        differences.append(np.abs(seen - expected).mean())
    assert len(differences) == N_PHOTOGRAPHS
    assert np.median(differences) < 1
    assert sum(difference > 2 for difference in differences) <= N_PHOTOGRAPHS // 10, differences
