"""The decoder's child process: real children, real deaths."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from core.base.errors import ErrorCode, ImageError
from core.decoding.decoder_process import (
    DecoderDied,
    DecoderNotStarted,
    DecoderProcess,
    arm_decode_deadline,
    disarm_decode_deadline,
)
from core.decoding.images import decode_image
from tests.support import marked_decoder, pictures
from tests.support.deadlines import within
from tests.support.waiting import until

PICTURE = pictures.jpeg(5)


def start(decoder="tests.support.marked_decoder:decode_image", *, timeout_s=20.0, memory_bytes=2**31):
    return DecoderProcess(decoder, max_pixels=50_000_000, memory_bytes=memory_bytes, timeout_s=timeout_s)


@pytest.fixture(scope="module")
def process():
    with start() as process:
        yield process


def code_of(process, data):
    with pytest.raises(ImageError) as caught:
        process.decode(data, 24)
    return caught.value.code


def test_the_child_decodes_as_the_worker_itself_does(process):
    for seed in range(5):
        data = pictures.jpeg(seed)
        np.testing.assert_array_equal(process.decode(memoryview(data), 24), decode_image(data, 24))


def test_the_child_knows_neither_settings_nor_keys(monkeypatch):
    for name in ("PAWSORT_SECRET_KEY", "PAWSORT_DATABASE_URL", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "secret")
    with start("tests.support.marked_decoder:count_secrets") as process:
        assert process.decode(PICTURE, 1).max() == 0


def test_the_child_stays_for_the_next_image(process):
    process.decode(PICTURE, 24)
    before = process._child.pid
    process.decode(PICTURE, 24)
    assert process._child.pid == before


@pytest.mark.parametrize("name", pictures.broken_files())
def test_a_broken_file_has_the_same_code_as_without_a_child(process, name):
    data, code = pictures.broken_files()[name]
    assert code_of(process, data) == code


def test_a_file_that_kills_the_decoder_twice_is_called_so_and_the_next_one_decodes(process):
    assert code_of(process, PICTURE + marked_decoder.DIE) == ErrorCode.DECODER_CRASHED
    assert process.decode(PICTURE, 24).shape == (24, 24, 3)


def test_one_death_is_nobodys_fault(process, tmp_path):
    mark = marked_decoder.DIE_ONCE + str(tmp_path / "died").encode() + b"#"
    np.testing.assert_array_equal(process.decode(PICTURE + mark, 24), decode_image(PICTURE, 24))
    assert (tmp_path / "died").exists()


def test_a_single_death_is_reported_to_the_caller(process):
    with pytest.raises(DecoderDied, match="-9"):
        process.decode_once(PICTURE + marked_decoder.DIE, 24)


def test_a_child_killed_between_two_images_is_replaced_silently(process):
    process.decode(PICTURE, 24)
    os.kill(process._child.pid, signal.SIGKILL)
    process._child.wait()
    assert process.decode(PICTURE, 24).shape == (24, 24, 3)


def test_a_fault_of_the_decoder_itself_counts_as_a_crash(process):
    assert code_of(process, PICTURE + marked_decoder.RAISE) == ErrorCode.DECODER_CRASHED


def test_a_decoder_that_hangs_is_stopped_in_time():
    timeout_s = within(0.7)
    with start(timeout_s=timeout_s) as process:
        process.decode(PICTURE, 24)
        began = time.monotonic()
        assert code_of(process, PICTURE + marked_decoder.HANG) == ErrorCode.DECODE_TIMEOUT
        assert time.monotonic() - began < 10 * timeout_s  # it would hang for an hour
        assert process.decode(PICTURE, 24).shape == (24, 24, 3)


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS refuses limits on address space")
def test_a_decoder_that_eats_memory_gets_no_more_than_its_limit(process):
    assert code_of(process, PICTURE + marked_decoder.EAT) == ErrorCode.OUT_OF_MEMORY
    assert process.decode(PICTURE, 24).shape == (24, 24, 3)


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS refuses limits on address space")
def test_a_picture_that_needs_more_memory_than_the_limit_is_called_so():
    picture = pictures.encode(pictures.Image.new("RGBA", (7000, 7000)), "PNG")
    with start("core.decoding.images:decode_image", memory_bytes=2**29) as process:
        assert code_of(process, picture) == ErrorCode.OUT_OF_MEMORY
        assert process.decode(PICTURE, 24).shape == (24, 24, 3)


def test_what_a_library_prints_does_not_spoil_the_answer(process):
    np.testing.assert_array_equal(process.decode(PICTURE + marked_decoder.TALK, 24), decode_image(PICTURE, 24))


def test_a_file_of_many_megabytes_goes_through_the_pipe(process):
    assert process.decode(PICTURE + bytes(40_000_000), 24).shape == (24, 24, 3)


def test_a_decoder_that_cannot_be_imported_is_no_images_fault():
    with start("core.nowhere:decode") as process, pytest.raises(DecoderNotStarted):
        process.decode(PICTURE, 24)


def test_leaving_the_context_ends_the_child():
    with start() as process:
        process.decode(PICTURE, 24)
        child = process._child
    assert child.returncode == -signal.SIGKILL


def test_the_child_ends_by_itself_when_its_parent_is_killed():
    script = (
        "import os, signal\n"
        "from core.decoding.decoder_process import DecoderProcess\n"
        "from tests.support import pictures\n"
        "p = DecoderProcess(max_pixels=10**6, memory_bytes=2**31, timeout_s=5)\n"
        "p.decode(pictures.jpeg(), 8); print(p._child.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    parent = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    child = int(parent.stdout)
    until(lambda: not _is_running(child))


def _is_running(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


def test_the_child_imports_nothing_that_it_does_not_need():
    code = "import sys, core.decoding.decoder_process, core.decoding.images; print(*sys.modules)"
    names = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {name for name in names if name.startswith("core.base.")} == {"core.base.errors", "core.base.image_formats"}
    assert {name.split(".")[1] for name in names if name.startswith("core.")} == {"base", "decoding", "formats"}
    assert not {"sqlalchemy", "celery", "flask", "pydantic", "tensorflow"} & set(names)


def test_the_deadline_ends_a_process_even_inside_c_code():
    code = (
        "from core.decoding.decoder_process import use_decode_deadline, arm_decode_deadline\n"
        "use_decode_deadline(); arm_decode_deadline(0.3)\n"
        "import re; re.match('(a+)+b', 'a' * 40)\n"  # holds the GIL for hours
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, timeout=within(60))
    assert ended.returncode == -signal.SIGALRM


def test_a_deadline_that_was_disarmed_harms_nobody():
    arm_decode_deadline(3600)
    disarm_decode_deadline()
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
