"""Answers that are made once for all who ask."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from web.http.delivery.answer_cache import FOR_EVER_S, AnswerCache


def test_an_answer_is_made_once_by_one_of_many() -> None:
    cache, n_made = AnswerCache(), 0
    together = threading.Barrier(8)

    def make() -> int:
        nonlocal n_made
        n_made += 1
        return n_made

    def ask(_: int) -> int:
        together.wait()
        return cache.get("a", make)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [1] * 8
    assert cache.get("b", make) == 2


def test_it_is_kept_as_long_as_it_says() -> None:
    cache, numbers = AnswerCache(), iter(range(10))
    assert [cache.get("a", lambda: next(numbers), 0.0) for _ in range(2)] == [0, 1]
    assert [cache.get("b", lambda: next(numbers), lambda made: FOR_EVER_S) for _ in range(2)] == [2, 2]


def test_others_get_the_last_answer_while_a_new_one_is_made() -> None:
    cache = AnswerCache()
    cache.get("a", lambda: "old", 0.0)
    begun, go_on = threading.Event(), threading.Event()

    def make() -> str:
        begun.set()
        go_on.wait()
        return "new"

    with ThreadPoolExecutor(1) as pool:
        made = pool.submit(cache.get, "a", make)
        begun.wait()
        assert cache.get("a", lambda: pytest.fail("two at a time")) == "old"
        go_on.set()
        assert made.result() == "new"


def test_an_error_is_not_kept() -> None:
    cache = AnswerCache()

    def fail() -> str:
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - it is our own
        cache.get("a", fail)
    assert cache.get("a", lambda: "made") == "made"
