"""Lines that Celery repeats."""

import logging

from core.operations.repeated_lines import RepeatedLines


def line(name: str, text: str = "cannot connect to %s") -> logging.LogRecord:
    return logging.LogRecord(name, logging.ERROR, "", 0, text, ("redis",), None)


def test_a_repeated_line_of_celery_is_logged_once_and_then_counted() -> None:
    lines = RepeatedLines(pause_s=60.0)
    assert [lines.filter(line("celery.beat")) for _ in range(3)] == [True, False, False]
    assert lines.filter(line("celery.beat", "another %s"))
    assert all(lines.filter(line("web")) for _ in range(3))


def test_the_next_one_says_how_many_there_were() -> None:
    lines = RepeatedLines(pause_s=60.0)
    for _ in range(3):
        lines.filter(line("kombu"))
    lines._pause_s = 0.0  # a minute later
    last = line("kombu")
    assert lines.filter(last)
    assert last.getMessage() == "cannot connect to redis (2 more in the meantime)"
