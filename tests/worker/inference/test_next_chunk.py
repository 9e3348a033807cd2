"""The line of chunks: the next one begins as soon as the one before is decoded."""

import math
import threading

import pytest

from core.base.config import Settings
from core.base.database import Database
from tests.support.fakes import FakeClassifier, FakeRuntime
from worker.inference import next_chunk
from worker.inference.next_chunk import ChunkLine


def test_a_chunk_that_is_decoded_at_once_does_not_end_the_line(
    settings: Settings, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors: list[BaseException] = []

    class QuickChunk:
        """Is decoded before the thread that made it goes on."""

        is_decoded = True

        def __init__(self, runtime, on_decoded) -> None:
            def run() -> None:
                try:
                    on_decoded()
                except BaseException as error:
                    errors.append(error)

            self._thread = threading.Thread(target=run)
            self._thread.start()
            self._thread.join(0.05)  # as long as the thread needs where nothing makes it wait

        def join(self) -> None:
            self._thread.join()

    monkeypatch.setattr(next_chunk, "NextChunk", QuickChunk)
    line = ChunkLine(FakeRuntime(settings, db, FakeClassifier()), until=math.inf)
    chunk = line.take()
    assert chunk is not None
    chunk.join()
    assert errors == []
