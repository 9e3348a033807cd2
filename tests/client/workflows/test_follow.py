"""Results while they come: each once it and all before it are there, whatever order they are computed in."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import pytest

from pawsort.api.calls import Call, Item, NextEvent, Pause
from pawsort.api.decoding import decode
from pawsort.api.errors import ClientError
from pawsort.schemas import Epochs, Job
from pawsort.uploads.background_upload import BackgroundUpload
from pawsort.uploads.shards import Shard
from pawsort.workflows.follow import (
    BUSY_PAUSE_S,
    FIRST_PAUSE_S,
    LONGEST_PAUSE_S,
    JobWatch,
    follow_epochs,
    follow_results,
)


class Server:
    """Answers calls out of a state that tests change."""

    def __init__(self) -> None:
        self.state, self.files, self.done = "receiving", list[int](), set[int]()

    def answer(self, call: Call[Any]) -> Any:
        if call.answer is Job:
            counts = {"done": len(self.done), "failed": 0}
            return decode(Job, {"id": "j", "upload": "u", "state": self.state, "counts": counts})
        ids = [one for one in self.files if "files" in call.path or one in self.done]
        return {"items": [{"image_id": one} for one in ids], "next": None}


def until_pause(stream: Any, server: Server) -> Iterator[int]:
    """The items up to the next pause, or to the end."""
    effect = next(stream, None)
    while effect is not None and not isinstance(effect, Pause):
        if isinstance(effect, Item):
            yield effect.value.image_id
            effect = next(stream, None)
        else:
            try:
                effect = stream.send(server.answer(effect))
            except StopIteration:
                return


@pytest.fixture
def server() -> Server:
    return Server()


def test_a_result_waits_for_those_before_it(server: Server) -> None:
    server.state, server.files, server.done = "running", [1, 2, 3, 4], {1, 3}
    stream = follow_results("j")
    assert list(until_pause(stream, server)) == [1]
    server.done |= {2}
    assert list(until_pause(stream, server)) == [2, 3]
    server.state, server.done = "done", {1, 2, 3, 4}
    assert list(until_pause(stream, server)) == [4]


def test_while_files_are_sent_only_those_without_a_gap_before_them_count(server: Server) -> None:
    background = BackgroundUpload()
    stream = follow_results("j", background)
    server.files, server.done = [3, 4], {3, 4}  # the second shard came first
    background.note(Shard(1, 2, 0, b""))
    assert list(until_pause(stream, server)) == []
    server.files, server.done = [1, 2, 3, 4], {1, 2, 3, 4}
    background.note(Shard(0, 2, 0, b""))
    assert list(until_pause(stream, server)) == [1, 2, 3, 4]


def test_a_cancelled_job_yields_what_there_is(server: Server) -> None:
    server.state, server.files, server.done = "cancelled", [1, 2, 3], {1, 3}
    assert list(until_pause(follow_results("j"), server)) == [1, 3]


def effects_of(watch: JobWatch, server: Server, events: list[Job | ClientError], n: int) -> list[Any]:
    """What a watch does while it is asked for the next state n times."""
    effects: list[Any] = []
    for _ in range(n):
        work = watch.next()
        try:
            effect = next(work)
            while True:
                effects.append(effect)
                answer = events.pop(0) if isinstance(effect, NextEvent) else None
                if isinstance(answer, ClientError):
                    effect = work.throw(answer)
                else:
                    effect = work.send(answer or (server.answer(effect) if isinstance(effect, Call) else None))
        except StopIteration:
            pass
    return effects


def listens(effects: list[Any]) -> list[bool]:
    """For each question or event: whether it was an event."""
    return [isinstance(one, NextEvent) for one in effects if not isinstance(one, Pause)]


def test_a_watch_asks_after_short_pauses_that_grow_and_then_listens(server: Server) -> None:
    server.state = "running"
    job = decode(Job, {"id": "j", "state": "running", "counts": {}})
    effects = effects_of(JobWatch("j"), server, [job, job], 10)
    pauses = [one.seconds for one in effects if isinstance(one, Pause)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1] < BUSY_PAUSE_S) == (FIRST_PAUSE_S, True)
    assert listens(effects) == [False] * 8 + [True] * 2


def test_a_stream_that_ends_is_opened_again_and_one_that_says_nothing_is_not(server: Server) -> None:
    server.state = "running"
    job, end = decode(Job, {"id": "j", "state": "running", "counts": {}}), ClientError("It has ended.")
    effects = effects_of(JobWatch("j"), server, [job, end, end], 14)
    # An event, the end and a question, and the end of a stream without an event; from then on, questions.
    assert listens(effects)[8:] == [True, True, False, True, False, False, False, False]


def test_while_files_are_sent_a_watch_asks_since_the_server_does_not_know_of_a_sender_that_failed(
    server: Server,
) -> None:
    sending = Mock(spec=BackgroundUpload, is_finished=False)
    effects = effects_of(JobWatch("j", sending), server, [], 20)
    assert not any(listens(effects))
    assert max(one.seconds for one in effects if isinstance(one, Pause)) == LONGEST_PAUSE_S


def test_epochs_are_asked_for_after_each_pause_since_no_event_announces_one(server: Server) -> None:
    server.state = "running"
    stream, n_pauses, epochs = follow_epochs("j"), 0, list[int]()
    effect = next(stream, None)
    while effect is not None:
        assert not isinstance(effect, NextEvent)
        if isinstance(effect, Item):
            epochs.append(effect.value.number)
        n_pauses += isinstance(effect, Pause)
        server.state = "running" if n_pauses < 20 else "done"
        is_curve = isinstance(effect, Call) and effect.answer is Epochs
        answer = decode(Epochs, {"items": [{"number": n} for n in range(n_pauses // 10)]}) if is_curve else None
        try:
            effect = stream.send(answer or (server.answer(effect) if isinstance(effect, Call) else None))
        except StopIteration:
            break
    assert epochs == [0, 1]
