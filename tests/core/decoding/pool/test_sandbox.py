"""What a decoder may not do, tried from inside a child."""

import os
import platform
import sys

import numpy as np
import pytest

from core.decoding.pool import child, sandbox
from core.decoding.pool.decoder_pool import DecodeLimits, DecoderPool
from tests.support import nosy_decoder, pictures
from tests.support.nosy_decoder import DONE, REFUSED
from tests.support.profiles import DISPLAY_P3, rgb_profile
from tests.support.raw_files import dng, jpeg_of

needs_seccomp = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in ("x86_64", "aarch64"), reason="seccomp is Linux's"
)


def start(decoder="tests.support.nosy_decoder:decode"):
    return DecoderPool(decoder, limits=DecodeLimits(10**6, 2**31, 20))


@pytest.fixture(scope="module")
def pool():
    with start() as pool:
        yield pool


@needs_seccomp
@pytest.mark.parametrize("attempt", nosy_decoder.ATTEMPTS)
def test_a_decoder_is_refused(pool, attempt):
    assert pool.decode(attempt.encode(), 1).pixels.max() == REFUSED


@pytest.mark.parametrize("allowed", nosy_decoder.ALLOWED)
def test_a_decoder_may(pool, allowed):
    assert pool.decode(allowed.encode(), 1).pixels.max() == DONE


@needs_seccomp
def test_attempts_succeed_where_there_is_no_sandbox(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for attempt in ("read a file", "make a socket", "run a program"):
        assert nosy_decoder.decode(attempt.encode(), 1, max_pixels=1).pixels.max() == DONE


@needs_seccomp
def test_a_decoder_has_no_open_files_but_its_socket_and_its_block(pool):
    pool.decode(b"make a thread", 1)
    pid = pool._children[0].pid
    assert len(os.listdir(f"/proc/{pid}/fd")) <= 5


@pytest.mark.parametrize("format", pictures.FORMATS)
def test_every_format_is_decoded_inside_the_sandbox(format):
    data = pictures.encode(pictures.Image.new("RGB", (70, 66), (200, 10, 10)), format)
    with start("core.decoding.images:decode") as pool:
        assert pool.decode(data, 8).pixels.shape == (8, 8, 3)


@pytest.mark.parametrize("n_samples", [1, 2, 3, 4])
def test_pictures_of_16_bits_are_read_inside_the_sandbox(n_samples):
    """What they need beyond usual pictures must be imported before."""
    values = np.arange(64 * 64 * n_samples, dtype=np.uint16).reshape(64, 64, n_samples)
    with start("core.decoding.images:decode") as pool:
        for data in (pictures.png_of_16_bits(values), pictures.png_of_16_bits(values // 64)):
            assert pool.decode(data, 8).warning is None


def test_raws_and_colour_profiles_are_read_inside_the_sandbox():
    green = (30, 200, 30)
    profile = rgb_profile(DISPLAY_P3)
    with start("core.decoding.images:decode") as pool:
        for data in (dng(green), dng((200, 30, 30), preview=jpeg_of(green, (96, 64)))):
            assert pool.decode(data, 8).pixels.mean(axis=(0, 1)).argmax() == 1
        paler = pool.decode(pictures.encode(pictures.Image.new("RGB", (16, 16), green), "JPEG", icc_profile=profile), 8)
        assert paler.pixels[..., 0].max() < 20


def test_a_machine_without_seccomp_decodes_and_says_so_once(monkeypatch):
    said = []
    monkeypatch.setattr(child, "_warned", set())
    monkeypatch.setattr(child.log, "warning", lambda event, **_: said.append(event))
    monkeypatch.setattr(child.requests, "READY", b"not what the child says")
    monkeypatch.setattr(child.requests, "UNCONFINED", b"\2")
    for _ in range(2):
        with start("core.decoding.images:decode") as pool:
            assert pool.decode(pictures.jpeg(1), 8).pixels.shape == (8, 8, 3)
    assert said == ["decoder_unconfined"]


def test_the_filter_can_be_written_for_every_architecture():
    for calls in sandbox._CALLS.values():
        program = sandbox._write_filter(calls, 1)
        assert len(program) % sandbox._INSTRUCTION.size == 0
        assert len(set(calls.refused)) == len(calls.refused)
        assert not {calls.clone, calls.clone3, *calls.to_itself} & set(calls.refused)
