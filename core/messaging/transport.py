"""Kombu's transport for Redis, which drops what is no message instead of ending the worker that reads it.

Whoever can write to the broker could otherwise stop a worker with one line of text. Kombu finds this module by the name
of the scheme (core/messaging/broker.py).
"""

from queue import Empty
from typing import Any

import structlog
from kombu.transport import redis

log = structlog.get_logger()

PROPERTIES = frozenset({"delivery_tag", "delivery_info"})  # without them kombu cannot even reject a message


class Channel(redis.Channel):
    def _brpop_read(self, **options: Any) -> bool:
        try:
            return bool(super()._brpop_read(**options))  # type: ignore[no-untyped-call]
        except ValueError as error:  # neither UTF-8 nor JSON
            log.warning("message_unreadable", error=str(error))
            raise Empty from error


class Transport(redis.Transport):
    Channel = Channel

    def _deliver(self, message: Any, queue: str) -> None:
        properties = message.get("properties") if isinstance(message, dict) else None
        if isinstance(properties, dict) and properties.keys() >= PROPERTIES:
            super()._deliver(message, queue)  # type: ignore[no-untyped-call]
        else:
            log.warning("message_unreadable", error="it is no message of Celery", queue=queue)
