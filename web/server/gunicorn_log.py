"""The log of gunicorn itself, in the format of all other logs.

Use it with `gunicorn --logger-class web.server.gunicorn_log.Logger`.
"""

from typing import Any

from gunicorn.glogging import Logger as GunicornLogger

from core.base.config import load_settings
from core.operations.log_relay import gather_lines
from core.operations.log_setup import set_up_logs


class Logger(GunicornLogger):  # type: ignore[misc]
    """Passes its lines to the common log instead of writing them."""

    def setup(self, cfg: Any) -> None:
        """Called by gunicorn in each of its processes."""
        if load_settings().strict_json_logs:
            gather_lines()
        super().setup(cfg)
        set_up_logs()
        self.error_log.handlers.clear()
        self.error_log.propagate = True
