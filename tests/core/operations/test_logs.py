"""Logs: JSON where nobody watches, words on a terminal, and each line with the ids of the work that it belongs to."""

import json
import os
import pty
import subprocess
import sys
import textwrap
from typing import Any

from tests.support.deadlines import within
from tests.support.paths import ROOT

PROGRAM = """
import logging, warnings, structlog
from core.operations.log_setup import set_up_logs
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


GATHERING = """
import os, signal, sys
from core.operations.log_relay import gather_lines
from core.operations.log_setup import set_up_logs
gather_lines()
set_up_logs()
"""


def run(program: str) -> list[dict[str, Any]]:
    """Lines of a program's standard error; it has ended for good, with all that it started, when this returns."""
    code = textwrap.dedent(program)
    said = subprocess.run(
        [sys.executable, "-c", GATHERING + code], stderr=subprocess.PIPE, cwd=ROOT, check=False, timeout=within(60)
    )
    return [json.loads(line) for line in said.stderr.splitlines()]


def test_lines_are_gathered_in_a_program_whose_sockets_have_a_time_limit() -> None:
    code = "import socket; socket.setdefaulttimeout(30)" + GATHERING + "os.write(2, b'plain\\n')"
    said = subprocess.run(
        [sys.executable, "-c", code], stderr=subprocess.PIPE, cwd=ROOT, check=True, timeout=within(60)
    )
    assert [json.loads(line)["said"] for line in said.stderr.splitlines()] == ["plain"]


def test_what_a_library_writes_past_all_logging_becomes_json() -> None:
    ours, theirs, odd, last = run("""
        import structlog
        structlog.get_logger().info("chunk_done", job_id=7)
        os.write(2, b"tempfile.tif: Using code not yet in table.\\n\\n")
        os.write(2, b"\\xff{[\\n")
        os.write(2, b"malloc(): the last words")
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    assert (ours["event"], ours["job_id"]) == ("chunk_done", 7)
    assert (theirs["event"], theirs["said"]) == ("library_said", "tempfile.tif: Using code not yet in table.")
    assert {"logger", "level", "timestamp"} <= theirs.keys()
    assert odd["said"] == "\\xff{["
    assert last["said"] == "malloc(): the last words"


def test_standard_output_goes_into_the_log_as_well() -> None:
    (line,) = run(r"""os.write(1, b"\nworker: Warm shutdown (MainProcess)\n")""")
    assert line["said"] == "worker: Warm shutdown (MainProcess)"


def test_nothing_is_lost_or_held_up_when_the_gatherer_is_killed() -> None:
    lines = run("""
        from tests.support.processes import kill, living_below
        for number in range(3):
            (gatherer,) = [one.pid for one in living_below(os.getpid()) if "log_relay.py" in one.command]
            kill(gatherer)
            for line in range(2000):
                os.write(2, b"a line of some library, number %d of %d\\n" % (line, number))
            while not [one for one in living_below(os.getpid()) if "log_relay.py" in one.command]:
                pass
    """)
    numbers = (f"number {line} of {number}" for number in range(3) for line in range(2000))
    said = dict.fromkeys(line["said"] for line in lines)  # what was passed on in the last moment may come twice
    assert list(said) == [f"a line of some library, {words}" for words in numbers]


def test_children_share_the_gatherer_of_their_parent() -> None:
    lines = run("""
        import subprocess
        from tests.support.processes import living_below
        again = "import os; from core.operations.log_relay import gather_lines; gather_lines(); os.write(2, b'a child')"
        subprocess.run([sys.executable, "-c", again], check=True)
        os.write(2, b"\\n%d" % sum("log_relay.py" in one.command for one in living_below(os.getpid())))
    """)
    assert [line["said"] for line in lines] == ["a child", "1"]


def test_a_program_goes_on_when_nobody_takes_its_lines() -> None:
    program = GATHERING + "import structlog\nfor _ in range(9999): structlog.get_logger().info('a line')\nsys.exit(7)"
    with subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stderr is not None
        process.stderr.close()
        assert process.wait(within(60)) == 7
