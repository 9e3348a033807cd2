"""Results while they come: each once it and all before it are there, whatever order they are computed in."""

from collections.abc import Iterator
from typing import Any

import pytest

from pawsort.api.calls import Call, Item, Pause
from pawsort.api.decoding import decode
from pawsort.schemas import Job
from pawsort.uploads.background_upload import BackgroundUpload
from pawsort.uploads.shards import Shard
from pawsort.workflows.follow import follow_results


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
