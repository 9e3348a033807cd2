"""What comes before a program that runs with servers of its own: it sees that they are there and as they should be.

A wrong setting stops the program at once with a sentence that names it; a server that is away is waited for, and stops
it in the end: whoever watches it (a container engine, systemd) starts it again.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.base.config import Settings

WAIT_S = 60.0
PAUSE_S = 1.0

Check = Callable[[], None]


def checks(settings: "Settings") -> dict[str, Check]:
    """What has to be right, by name, in the order of asking. Nothing connects before a check is called."""
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


def check_servers(settings: "Settings", say: Callable[[str], object], wait_s: float = WAIT_S) -> None:
    """See that database, blob store and broker are as they should be; wait for those that are away.

    The broker is not waited for: web and workers do without it for a while.

    Raises:
        Refused: A setting is wrong.
        Unavailable: A server has not answered in time.
        ConfigError: An address cannot be understood, or the broker's is missing.
    """
    from core.base.errors import ConfigError, Refused, Unavailable

    if not settings.redis_url:
        raise ConfigError("PAWSORT_REDIS_URL: expected redis://host:6379/0; only `pawsort up` has a broker of its own.")
    give_up_at = time.monotonic() + wait_s
    for name, check in checks(settings).items():
        is_said = False
        while True:
            try:
                check()
                break
            except Refused:
                raise
            except Unavailable as error:
                if name != "broker" and time.monotonic() > give_up_at:
                    raise
                if not is_said:
                    say(error.message)
                is_said = True
                if name == "broker":
                    break
            time.sleep(PAUSE_S)
