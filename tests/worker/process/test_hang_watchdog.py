"""A process whose heartbeat hangs ends; one whose heartbeat goes on does not."""

import threading
from collections.abc import Iterator

import pytest

from tests.support.deadlines import within
from worker.process.hang_watchdog import HANGS_AFTER_LEASES, HangWatchdog

CHECK_S = 0.01
LEASE_S = 0.1
NO_BEAT_S = 3 * HANGS_AFTER_LEASES * LEASE_S


@pytest.fixture
def ended() -> threading.Event:
    return threading.Event()


@pytest.fixture
def watchdog(ended: threading.Event) -> Iterator[HangWatchdog]:
    one = HangWatchdog(LEASE_S, ended.set, CHECK_S)
    one.start()
    yield one
    one.stop()


def test_a_beat_that_hangs_ends_the_process(watchdog: HangWatchdog, ended: threading.Event) -> None:
    with watchdog.watching():
        assert ended.wait(within(5))


def test_beats_that_end_do_not_add_up(watchdog: HangWatchdog, ended: threading.Event) -> None:
    for _ in range(3 * HANGS_AFTER_LEASES):
        with watchdog.watching():
            assert not ended.wait(LEASE_S / 2)


def test_no_beat_at_all_ends_nothing(watchdog: HangWatchdog, ended: threading.Event) -> None:
    assert not ended.wait(NO_BEAT_S)
