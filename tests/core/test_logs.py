"""Logs: JSON where nobody watches, words on a terminal, and each line with the ids of the work that it belongs to."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PROGRAM = """
import logging, warnings, structlog
from core.logs import set_up_logs
set_up_logs()
with structlog.contextvars.bound_contextvars(job_id=7, chunk_id=8):
    structlog.get_logger().info("chunk_done", failed_image_ids={"truncated": [9]})
    logging.getLogger("library").warning("a word of %s", "its own")
    try:
        token = "very secret"
        raise ValueError("broken")
    except ValueError:
        structlog.get_logger().exception("chunk_failed")
        logging.getLogger("library").exception("it failed")
logging.getLogger("library").info("too small to matter")
warnings.warn("old", stacklevel=1)
"""


def test_every_line_is_json_with_the_ids_of_its_work() -> None:
    run = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, cwd=ROOT, check=True)
    lines: list[dict[str, Any]] = [json.loads(line) for line in run.stderr.splitlines()]
    done, word, failed, also_failed, warned = lines
    assert done["failed_image_ids"] == {"truncated": [9]}
    assert (word["event"], word["logger"], word["level"]) == ("a word of its own", "library", "warning")
    assert "ValueError: broken" in failed["exception"]
    assert "ValueError: broken" in also_failed["exception"]
    assert [(line.get("job_id"), line.get("chunk_id")) for line in lines] == [(7, 8)] * 4 + [(None, None)]
    assert "old" in warned["event"]
    assert all("timestamp" in line for line in lines)
    assert "very secret" not in run.stderr.replace('token = "very secret"', "")


def test_a_terminal_gets_words() -> None:
    ours, theirs = pty.openpty()
    subprocess.run([sys.executable, "-c", PROGRAM], stderr=theirs, cwd=ROOT, check=True)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    os.close(theirs)
    assert "chunk_done" in shown
    assert not shown.lstrip().startswith("{")
