"""Logs of web and workers: one line each on standard error, readable on a terminal, JSON elsewhere.

What belongs to every line of a piece of work (job_id, chunk_id, fence) is bound to the context where it begins, so that
everything logged meanwhile carries it, also by libraries.
"""

import logging
import sys
from collections.abc import Sequence

import structlog
from structlog.typing import Processor

from core.operations.repeated_lines import RepeatedLines


def set_up_logs() -> None:
    """Send structlog and the logging of libraries to standard error; called once, where a process starts."""
    # Plain traces, not structlog's decorated ones: those print local variables, and with them tokens.
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer()
    )
    before: Sequence[Processor] = (
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.processors.format_exc_info,
    )
    structlog.configure(
        processors=[*before, renderer],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),  # one write for a line: processes share the log
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*before, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    handler.addFilter(RepeatedLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.captureWarnings(True)
    # What Pillow logs about hostile files is no error: each of them gets its code.
    logging.getLogger("PIL").setLevel(logging.CRITICAL)
