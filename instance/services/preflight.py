"""Checks before a service starts: database, blob store and broker answer, and are set up correctly.

A wrong setting stops the program at once with a message that names it. A server that does not answer is waited for; in
the end it stops the program too, and what supervises that (a container engine, systemd) restarts it.
"""

import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.base.config import Settings

WAIT_S = 60.0
PAUSE_S = 1.0
SERVERS = ("database", "blob store", "broker")

Check = Callable[[], None]


def checks(settings: "Settings") -> dict[str, Check]:
    """Return the checks by name, in their order. Nothing connects before a check is called."""
    from core.base.database import Database
    from core.messaging.broker import check_broker
    from core.storage.blobs import Blobs
    from migrations.run import check_schema

    def check_database() -> None:
        db = Database(settings.sql_url, pool_size=1)
        try:
            check_schema(db)
        finally:
            db.close()

    return {
        "database": check_database,
        "blob store": lambda: Blobs(settings.store_url).ping(),
        "broker": lambda: check_broker(settings),
    }


def check_servers(
    settings: "Settings",
    notify: Callable[[str], object],
    servers: Collection[str] = SERVERS,
    wait_s: float = WAIT_S,
) -> None:
    """Check database, blob store and broker, and wait for the first two if they do not answer.

    Does not wait for the broker: web and workers can run without it for a while.

    Args:
        servers: Those to check.
    Raises:
        Refused: A setting is wrong.
        Unavailable: A server did not answer in time.
        ConfigError: An address is invalid, or that of the broker is missing.
    """
    from core.base.errors import ConfigError, Refused, Unavailable

    if not settings.redis_url:
        raise ConfigError("PAWSORT_REDIS_URL: expected redis://host:6379/0; only `pawsort up` has an embedded broker.")
    give_up_at = time.monotonic() + wait_s
    for name, check in checks(settings).items():
        if name not in servers:
            continue
        is_notified = False
        while True:
            try:
                check()
                break
            except Refused:
                raise
            except Unavailable as error:
                if name != "broker" and time.monotonic() > give_up_at:
                    raise
                if not is_notified:
                    notify(error.message)
                is_notified = True
                if name == "broker":
                    break
            time.sleep(PAUSE_S)
