"""Logs of web and workers: one line each on standard error, readable on a terminal, JSON elsewhere."""

import logging
import sys

import structlog


def set_up_logs() -> None:
    """Send structlog and the logging of libraries to standard error; called once, where a process starts."""
    is_terminal = sys.stderr.isatty()
    # Plain traces, not structlog's decorated ones: those print local variables, and with them tokens.
    renderer = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if is_terminal
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            renderer,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    # What Pillow says of hostile files is no error of ours: each of them gets its code.
    logging.getLogger("PIL").setLevel(logging.CRITICAL)
