"""Turns: one thread at a time, in the order in which they ask."""

import threading

import pytest

from tests.support.waiting import until
from worker.process.turns import Turns


def test_who_gives_way_goes_on_behind_those_who_wait():
    turns, order = Turns(), []

    def take(name):
        with turns:
            order.append(name)

    with turns:
        threads = []
        for n, name in enumerate(("first", "second")):
            threads.append(threading.Thread(target=take, args=(name,)))
            threads[-1].start()
            until(lambda n=n: turns._n_asked == n + 2)
        turns.give_way()
        order.append("the one that gave way")
    for thread in threads:
        thread.join()
    assert order == ["first", "second", "the one that gave way"]


def test_giving_way_to_nobody_goes_on_at_once():
    turns = Turns()
    with turns:
        turns.give_way()
        assert turns.is_taken
    assert not turns.is_taken


def test_an_error_ends_a_turn():
    turns = Turns()
    with pytest.raises(ValueError, match="broken"), turns:
        raise ValueError("broken")
    with turns:
        assert turns.is_taken
