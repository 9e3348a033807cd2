"""Whoever reaches the broker can write anything into a queue; workers go on."""

from typing import Any

import pytest
from kombu import Queue
from redis import Redis
from structlog.testing import capture_logs

from core.base.config import Settings
from core.messaging.broker import make_celery
from core.messaging.transport import Transport
from tests.support.deadlines import within


@pytest.mark.parametrize(
    "junk", [b"no JSON", b"\xff\xfe", b"5", b"[]", b"{}", b'{"properties": 5}', b'{"properties": {"delivery_tag": 1}}']
)
def test_what_is_no_message_is_dropped_and_the_next_one_arrives(redis_url: str, junk: bytes) -> None:
    prefix = f"junk-{junk.hex()}:"
    app = make_celery(Settings(redis_url=redis_url, redis_prefix=prefix))  # type: ignore[call-arg]
    with Redis.from_url(redis_url) as redis:
        redis.lpush(f"{prefix}celery-junk", junk)
    received: list[Any] = []
    with app.connection_for_read() as connection, capture_logs() as logs:
        assert isinstance(connection.transport, Transport)
        with connection.Producer() as producer:
            producer.publish({"good": True}, routing_key="celery-junk", serializer="json")
        with connection.Consumer(
            Queue("celery-junk"), accept=["json"], on_message=lambda m: received.append(m.payload)
        ):
            while not received:
                connection.drain_events(timeout=within(5))
    assert received == [{"good": True}]
    assert [line["event"] for line in logs] == ["message_unreadable"]
