"""Decoding many pictures for a training: the same answers in the same order, however they are decoded."""

import os
from pathlib import Path

import numpy as np
import pytest

from core.base.config import Settings
from core.base.errors import ErrorCode, ImageError
from tests.support import deadly_decoder, pictures
from worker.process.decoding import map_decoded

N = 40


@pytest.fixture
def with_children(monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with which children decode, whatever there is."""
    monkeypatch.setattr("worker.process.decoding.MANY", 1)
    return Settings(_env_file=None, decoder="tests.support.deadly_decoder:decode_image", decode_timeout_s=20.0)  # type: ignore[call-arg]


def decode_or_say(decode, data):
    try:
        return decode(data, 16)
    except ImageError as error:
        return error.code


def children() -> set[int]:
    tasks = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    return {int(pid) for task in tasks for pid in task.read_text().split()}


def test_children_give_the_same_pixels_in_the_same_order(with_children, monkeypatch):
    asked = [memoryview(pictures.jpeg(number)) for number in range(N)]
    by_children = list(map_decoded(with_children, 1, decode_or_say, asked, N))
    monkeypatch.setattr("worker.process.decoding.MANY", N + 1)
    here = list(map_decoded(with_children, 1, decode_or_say, asked, N))
    assert np.array_equal(by_children, here)


def test_a_picture_that_kills_the_decoder_costs_only_itself(with_children):
    asked = [memoryview(pictures.jpeg(number)) for number in range(N)]
    asked[7] = memoryview(pictures.jpeg(7) + deadly_decoder.KILLED)
    found = list(map_decoded(with_children, 1, decode_or_say, asked, N))
    assert found[7] == ErrorCode.DECODER_CRASHED
    assert sum(isinstance(one, np.ndarray) for one in found) == N - 1


def test_children_end_when_nobody_wants_more(with_children):
    before = children()
    decoded = map_decoded(with_children, 1, decode_or_say, iter(lambda: memoryview(pictures.jpeg(1)), None), N)
    next(decoded)
    assert children() > before
    decoded.close()
    assert children() == before


def test_what_asking_raises_is_raised_and_children_end(with_children):
    before = children()

    def asked():
        yield memoryview(pictures.jpeg(1))
        raise FileNotFoundError("the shard is gone")

    with pytest.raises(FileNotFoundError):
        list(map_decoded(with_children, 1, decode_or_say, asked(), N))
    assert children() == before
