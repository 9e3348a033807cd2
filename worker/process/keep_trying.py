"""Writing what must be written although the database is away for a moment."""

import time
from collections.abc import Callable

import structlog

from core.base.database import is_away

log = structlog.get_logger()

LONGEST_S = 60.0
PAUSE_S = 1.0


def keep_trying(write: Callable[[], object], longest_s: float = LONGEST_S, pause_s: float = PAUSE_S) -> None:
    """Call a function that writes, and again while the database is away. It must be harmless to repeat.

    Releasing work is written like this: work that is not released costs its attempt, as if its worker had died.

    Args:
        longest_s: After this time the error is raised.
    """
    give_up_at = time.monotonic() + longest_s
    while True:
        try:
            write()
            return
        except Exception as error:
            if not is_away(error) or time.monotonic() > give_up_at:
                raise
            log.warning("write_waits", reason=str(error))
        time.sleep(pause_s)
