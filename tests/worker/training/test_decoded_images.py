"""Pictures of a training by content, also when their parts turn out to be others than expected."""

from pathlib import Path

import numpy as np
import pytest

from core.base.errors import ErrorCode, ImageError
from core.training.splits import Split
from worker.training.decoded_images import DecodedImages
from worker.training.pixel_store import MIB, NEEDED_BYTES, PixelStore

SIDES = {Split.TRAINING: 80, Split.VALIDATION: 64, Split.TEST: 64}
CONTENTS = [bytes([number]) * 32 for number in range(6)]


def picture(number: int, side_px: int) -> np.ndarray:
    return np.full((side_px, side_px, 3), number, np.uint8)


@pytest.fixture
def decoded(tmp_path: Path) -> DecodedImages:
    """Two contents for each part, all decoded but the last, which cannot be."""
    decoded = DecodedImages(PixelStore(tmp_path, NEEDED_BYTES + 64 * MIB), SIDES)
    decoded.expect({sha256: tuple(Split)[number % 3] for number, sha256 in enumerate(CONTENTS)})
    for number, sha256 in enumerate(CONTENTS[:-1]):
        decoded.add(sha256, picture(number, decoded.side_of(sha256)))
    decoded.add(CONTENTS[-1], ImageError(ErrorCode.TRUNCATED))
    return decoded


def test_a_part_is_chosen_in_the_order_that_is_asked_for(decoded: DecodedImages) -> None:
    chosen = decoded.select(Split.TRAINING, [CONTENTS[3], CONTENTS[0]])
    assert chosen.shape == (2, 80, 80, 3)
    assert chosen[:][:, 0, 0, 0].tolist() == [3, 0]


def test_only_what_changes_its_size_is_decoded_again(decoded: DecodedImages) -> None:
    parts = dict.fromkeys(CONTENTS, Split.TEST)
    decoded.expect(parts)
    missing = [sha256 for sha256 in CONTENTS if decoded.lacks(sha256)]
    assert missing == [CONTENTS[0], CONTENTS[3]]
    for number in (0, 3):
        decoded.add(CONTENTS[number], picture(number, decoded.side_of(CONTENTS[number])))
    assert decoded.select(Split.TEST, CONTENTS[:-1])[:][:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4]


def test_what_cannot_be_decoded_is_not_tried_again_and_says_why(decoded: DecodedImages) -> None:
    assert not decoded.lacks(CONTENTS[-1])
    assert decoded.failures_of(CONTENTS) == [ErrorCode.TRUNCATED]
    assert decoded.failures_of(CONTENTS[:-1]) == []
