"""Connections to PostgreSQL that do not wait for ever.

A proxy or pooler that no longer forwards a connection still answers the kernel's keepalives, and the driver has no time
limit for an answer. So each wait of the driver has one here: it ends when nothing has come for `answer_s` seconds.
"""

import time
from collections.abc import Generator
from typing import Any

import psycopg
from psycopg import OperationalError
from sqlalchemy import Engine, event

CONNECT_TIMEOUT_S = 5
ANSWER_S = 75.0  # more than any statement takes that a person waits for
PING_S = float(CONNECT_TIMEOUT_S)  # for a connection of the pool, before it is used again
INTERVAL_S = 0.2
UNACKNOWLEDGED_MS = 30_000
# A connection that has gone silent (a firewall that forgot it, a failover) is noticed within half a minute.
KEEPALIVE = {"keepalives": 1, "keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3}
CONNECT_ARGS: dict[str, Any] = {
    "connect_timeout": CONNECT_TIMEOUT_S,
    # Prepared statements belong to one connection of the server, which a pooler gives to others in between.
    "prepare_threshold": None,
    "tcp_user_timeout": UNACKNOWLEDGED_MS,
    **KEEPALIVE,
}


class AnsweredConnection(psycopg.Connection[Any]):
    """A connection that is closed when its server is silent for too long."""

    answer_s = ANSWER_S

    def wait(self, gen: Any, interval: float = INTERVAL_S, timeout: float | None = None) -> Any:
        """Wait for an answer, as the driver does.

        Raises:
            OperationalError: None came in time.
        """
        return super().wait(self._watch(gen), interval, timeout)

    def _watch(self, gen: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        """Hand on what the driver waits for, and what came; the driver says 0 when nothing came for an interval."""
        try:
            wanted = next(gen)
            heard_at = time.monotonic()
            while True:
                ready = yield wanted
                if ready:
                    heard_at = time.monotonic()
                elif time.monotonic() - heard_at > self.answer_s:
                    self.pgconn.finish()
                    raise OperationalError(f"the server has not answered for {self.answer_s:g} s")
                wanted = gen.send(ready)
        except StopIteration as end:
            return end.value


def use_answered_connections(engine: Engine, answer_s: float) -> None:
    """Let an engine open connections that wait no longer than this for an answer, and a few seconds for a ping."""
    ping = engine.dialect.do_ping

    def do_ping(connection: Any) -> bool:
        connection.answer_s = min(PING_S, answer_s)
        try:
            return ping(connection)
        finally:
            connection.answer_s = answer_s

    engine.dialect.do_ping = do_ping  # type: ignore[assignment, method-assign]

    @event.listens_for(engine, "do_connect")
    def connect(dialect: Any, record: Any, arguments: list[Any], options: dict[str, Any]) -> AnsweredConnection:
        connection = AnsweredConnection.connect(*arguments, **options)
        connection.answer_s = answer_s
        return connection
