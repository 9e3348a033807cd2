"""Many logins at once do not take much memory at once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.accounts.passwords import hashing
from core.base.errors import Busy
from tests.support.deadlines import within

LINGER_S = 0.02


class CountingHasher:
    """Counts how many hash at once; each waits for as many as may, and then for one more, who must not come."""

    def __init__(self) -> None:
        self.most = self.now = 0
        self.lock = threading.Lock()
        self.all_who_may, self.one_more = threading.Event(), threading.Event()

    def verify(self, encoded: str, password: bytes) -> bool:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
            if self.now == hashing.MAX_AT_ONCE:
                self.all_who_may.set()
            if self.now > hashing.MAX_AT_ONCE:
                self.one_more.set()
        self.all_who_may.wait(within(30))
        self.one_more.wait(LINGER_S)
        with self.lock:
            self.now -= 1
        return True


def test_two_passwords_are_hashed_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    counting = CountingHasher()
    monkeypatch.setattr(hashing, "_hasher", counting)
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda _: hashing.is_password(b"x", None), range(8)))
    assert counting.most == hashing.MAX_AT_ONCE


def test_a_login_that_waits_too_long_is_refused_for_the_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "_turns", threading.BoundedSemaphore(1))
    monkeypatch.setattr(hashing, "WAIT_S", 0.01)
    with hashing._turn(), pytest.raises(Busy, match="Try again"):
        hashing.is_password(b"x", None)
