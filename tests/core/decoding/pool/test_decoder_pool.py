"""The pool of decoder children: real children, real deaths."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from core.base.errors import ErrorCode, ImageError, Unavailable
from core.decoding.images import decode, make_thumbnail
from core.decoding.pool import decoder_pool
from core.decoding.pool.child import DecoderNotStarted
from core.decoding.pool.decoder_pool import DecodeLimits, DecoderPool
from tests.support import marked_decoder, pictures
from tests.support.deadlines import within
from tests.support.waiting import until

PICTURE = pictures.jpeg(5)


def start(decoder="tests.support.marked_decoder:decode", *, cpu_s=20.0, memory_bytes=2**31, n_children=1, **options):
    limits = DecodeLimits(50_000_000, memory_bytes, cpu_s)
    return DecoderPool(decoder, limits=limits, n_children=n_children, **options)


@pytest.fixture(scope="module")
def pool():
    with start() as pool:
        yield pool


def code_of(pool, data):
    with pytest.raises(ImageError) as caught:
        pool.decode(data, 24)
    return caught.value.code


def codes(batch):
    return [decoded.code if isinstance(decoded, ImageError) else None for decoded in batch]


def pid_of(pool):
    [child] = pool._children
    return child.pid


@pytest.mark.parametrize("n_children", [1, 3])
def test_children_decode_as_the_worker_itself_does_and_in_order(n_children):
    files = [pictures.jpeg(seed) for seed in range(10)]
    with start(n_children=n_children) as pool:
        for data, decoded in zip(files, pool.decode_batch([memoryview(data) for data in files], 24), strict=True):
            np.testing.assert_array_equal(decoded.pixels, decode(data, 24).pixels)


def test_a_batch_of_nothing_is_nothing(pool):
    assert pool.decode_batch([], 24) == []


def test_files_are_handed_on_a_few_at_a_time_and_large_ones_alone(pool):
    large = PICTURE + bytes(decoder_pool.PIECE_BYTES // 2)
    pieces = pool.decode_pieces([PICTURE] * 5 + [large] * 3, 24, None, 3)
    assert [codes(piece) for piece in pieces] == [[None] * 3, [None] * 3, [None], [None]]


def test_thumbnails_are_the_same_bytes_as_without_a_child(pool):
    assert pool.make_thumbnails([PICTURE], 128) == [make_thumbnail(PICTURE, 128)]
    assert pool.make_thumbnails([PICTURE], 2048) == [make_thumbnail(PICTURE, 2048)]


def test_children_know_neither_settings_nor_keys(monkeypatch):
    for name in ("PAWSORT_SECRET_KEY", "PAWSORT_DATABASE_URL", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "secret")
    with start("tests.support.marked_decoder:count_secrets") as pool:
        assert pool.decode(PICTURE, 1).pixels.max() == 0


def test_the_child_stays_for_the_next_image(pool):
    pool.decode(PICTURE, 24)
    before = pid_of(pool)
    pool.decode(PICTURE, 24)
    assert pid_of(pool) == before


@pytest.mark.parametrize("name", pictures.broken_files())
def test_a_broken_file_has_the_same_code_as_without_a_child(pool, name):
    data, code = pictures.broken_files()[name]
    assert code_of(pool, data) == code


def test_errors_bring_their_details_along(pool):
    data = pictures.encode(pictures.Image.new("L", (9000, 9000)), "PNG")
    with pytest.raises(ImageError) as here:
        decode(data, 24)
    with pytest.raises(ImageError) as there:
        pool.decode(data, 24)
    assert here.value.detail
    assert there.value.detail == here.value.detail


def test_a_file_that_kills_the_decoder_twice_is_called_so_and_its_neighbours_decode(pool):
    batch = pool.decode_batch([PICTURE, PICTURE + marked_decoder.DIE, PICTURE], 24)
    assert codes(batch) == [None, ErrorCode.DECODER_CRASHED, None]


def test_one_death_is_no_images_fault(pool):
    batch = pool.decode_batch([PICTURE, PICTURE + marked_decoder.DIE_ONCE, PICTURE], 24)
    assert codes(batch) == [None, None, None]


def test_deaths_on_two_neighbours_are_counted_for_each():
    with start() as pool:
        asked = [PICTURE, *[PICTURE + marked_decoder.DIE_ONCE] * 3, PICTURE]
        assert codes(pool.decode_batch(asked, 24)) == [None] * 5


def test_a_child_killed_between_two_images_is_replaced_silently(pool):
    pool.decode(PICTURE, 24)
    os.kill(pid_of(pool), signal.SIGKILL)
    assert pool.decode(PICTURE, 24).pixels.shape == (24, 24, 3)


def test_a_fault_of_the_decoder_itself_counts_as_a_crash(pool):
    assert code_of(pool, PICTURE + marked_decoder.RAISE) == ErrorCode.DECODER_CRASHED


@pytest.mark.parametrize("mark", [marked_decoder.HANG, marked_decoder.HOLD_THE_GIL])
def test_a_decoder_that_sleeps_or_computes_for_ever_is_stopped_and_its_neighbours_decode(mark):
    cpu_s = within(0.4)
    with start(cpu_s=cpu_s) as pool:
        began = time.monotonic()
        assert codes(pool.decode_batch([PICTURE, PICTURE + mark, PICTURE], 24)) == [None, "decode_timeout", None]
        assert time.monotonic() - began < 50 * cpu_s  # it would go on for an hour


def test_time_is_counted_for_each_picture_and_not_for_the_batch(pool):
    picture = pictures.encode(pictures.Image.effect_noise((3000, 3000), 50), "PNG")
    began = time.process_time()
    decode(picture, 24)
    each_s = time.process_time() - began
    assert set(codes(pool.decode_batch([picture] * 10, 24, cpu_s=5 * each_s))) == {None}


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS refuses limits on address space")
def test_a_decoder_that_eats_memory_gets_no_more_than_its_limit(pool):
    assert code_of(pool, PICTURE + marked_decoder.EAT) == ErrorCode.OUT_OF_MEMORY
    assert pool.decode(PICTURE, 24).pixels.shape == (24, 24, 3)


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS refuses limits on address space")
def test_a_picture_that_needs_more_memory_than_the_limit_is_called_so():
    picture = pictures.encode(pictures.Image.new("RGBA", (7000, 7000)), "PNG")
    with start("core.decoding.images:decode", memory_bytes=2**29) as pool:
        assert code_of(pool, picture) == ErrorCode.OUT_OF_MEMORY
        assert pool.decode(PICTURE, 24).pixels.shape == (24, 24, 3)


def test_what_a_library_prints_does_not_spoil_the_answer(pool):
    decoded = pool.decode(PICTURE + marked_decoder.TALK, 24)
    np.testing.assert_array_equal(decoded.pixels, decode(PICTURE, 24).pixels)


def test_a_file_of_many_megabytes_is_decoded(pool):
    assert pool.decode(PICTURE + bytes(40_000_000), 24).pixels.shape == (24, 24, 3)


def test_a_decoder_that_cannot_be_imported_is_no_images_fault():
    with start("core.nowhere:decode") as pool, pytest.raises(DecoderNotStarted):
        pool.decode(PICTURE, 24)


def test_a_machine_without_room_for_a_process_is_no_images_fault(monkeypatch):
    def refuse(*_, **__):
        raise OSError("Resource temporarily unavailable")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    with start() as pool, pytest.raises(DecoderNotStarted, match="temporarily unavailable"):
        pool.decode(PICTURE, 24)


def test_who_waits_too_long_for_a_free_child_is_sent_away():
    with start(cpu_s=within(2)) as pool:
        pool.decode(PICTURE, 24)
        busy = threading.Thread(target=pool.decode_batch, args=([PICTURE + marked_decoder.HOLD_THE_GIL], 24))
        busy.start()
        until(lambda: not pool._free._free)
        with pytest.raises(Unavailable, match="busy"):
            pool.make_thumbnails([PICTURE], 128, wait_s=0.01)
        busy.join()
        assert pool.make_thumbnails([PICTURE], 128, wait_s=0.01)


def test_a_child_without_work_is_ended_after_a_while_and_started_again_when_needed():
    with start(idle_s=0.01) as pool:
        pool.decode(PICTURE, 24)
        until(lambda: pid_of(pool) is None)
        assert pool.decode(PICTURE, 24).pixels.shape == (24, 24, 3)


def test_leaving_the_context_ends_the_child():
    with start() as pool:
        pool.decode(PICTURE, 24)
        child = pid_of(pool)
    assert not _is_running(child)


def test_the_child_ends_by_itself_when_its_parent_is_killed():
    script = (
        "import os, signal\n"
        "from core.decoding.pool.decoder_pool import DecodeLimits, DecoderPool\n"
        "from tests.support import pictures\n"
        "p = DecoderPool(limits=DecodeLimits(10**6, 2**31, 5))\n"
        "p.decode(pictures.jpeg(), 8)\n"
        "print(p._children[0].pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    parent = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    child = int(parent.stdout)
    until(lambda: not _is_running(child))


def _is_running(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


def _modules_after(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint(*sys.modules)"
    return set(
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    )


def test_the_child_imports_nothing_that_it_does_not_need():
    names = _modules_after("import core.decoding.pool.child_main")
    assert {name for name in names if name.startswith("core.base.")} == {"core.base.errors", "core.base.image_formats"}
    assert {name.split(".")[1] for name in names if name.startswith("core.")} == {"base", "decoding", "formats"}
    assert not {"sqlalchemy", "celery", "flask", "pydantic", "structlog", "tensorflow"} & names


def test_the_parent_imports_no_decoder():
    names = _modules_after("import core.decoding.pool.decoder_pool")
    assert not {"PIL", "pillow_heif", "core.decoding.images"} & names


def test_a_pool_that_is_closed_while_a_child_starts_leaves_none_behind():
    pool = start()

    def decode_one():
        with contextlib.suppress(DecoderNotStarted):
            pool.decode(PICTURE, 24)

    starting = threading.Thread(target=decode_one)
    starting.start()
    pool.close()
    starting.join()
    assert pid_of(pool) is None
