"""The log as JSON to the last line, also what libraries and a dying interpreter write to fd 1 and 2 past all logging.

    fd 1 and 2 of a program and of all that it starts ── socket ──► this file, as a process ──► where fd 2 led before

A process and not a thread: the writer may hold the interpreter's lock, and the last words of a program are needed
most. It ends when the last of those that can write has ended. When it is killed, another takes its place: lines wait
in the socket, which the program keeps open, and are taken from there only when they have been passed on (a pipe has
no such way of reading).
"""

import json
import os
import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime

# The socket from which the lines of this program and its children are gathered already: its number in the kernel.
GATHERED = "PAWSORT_GATHERED_LINES"
_PIECE_BYTES = 2**14
_LONGEST_BYTES = 2**20


def gather_lines() -> None:
    """Turn what this process and its children write to fd 1 and 2 into JSON; not on a terminal, and once for all.

    Standard output as well, for Celery says there how it ends; log collectors read the two as one.
    """
    if os.isatty(2) or os.environ.get(GATHERED) == str(os.fstat(2).st_ino):
        return
    there = os.dup(2)
    source, target = socket.socketpair()
    for end in (source, target):
        end.setblocking(True)  # Celery beat sets a time limit for all new sockets
    reader = _start(source, there)
    os.dup2(target.fileno(), 2)
    if not os.isatty(1):
        os.dup2(target.fileno(), 1)
    target.close()
    os.environ[GATHERED] = str(os.fstat(2).st_ino)
    threading.Thread(target=_keep, args=(reader, source, there), name="lines", daemon=True).start()


def _start(source: socket.socket, there: int) -> "subprocess.Popen[bytes]":
    """A session of its own: what ends the program's whole group must not cut off its last words."""
    command = [sys.executable, "-I", "-S", __file__]
    return subprocess.Popen(command, stdin=source.fileno(), stdout=there, stderr=there, start_new_session=True)  # noqa: S603


def _keep(reader: "subprocess.Popen[bytes]", source: socket.socket, there: int) -> None:
    """Read as long as this program lives: in this thread where no process can be started."""
    try:
        while True:
            reader.wait()
            reader = _start(source, there)
    except OSError:
        copy_as_json(source, there)


def copy_as_json(source: socket.socket, there: int) -> None:
    """Pass lines on until there will be no more; what is no JSON object becomes one. Killed, it may repeat a few."""
    rest = b""
    while piece := source.recv(_PIECE_BYTES, socket.MSG_PEEK):
        *lines, rest = (rest + piece).split(b"\n")
        if len(rest) > _LONGEST_BYTES:
            lines, rest = [*lines, rest], b""
        _write(there, b"".join(map(as_json, lines)))
        source.recv(len(piece))
    _write(there, as_json(rest))


def as_json(line: bytes) -> bytes:
    """A line as it is when it is a JSON object, else as an event `library_said`; nothing when it is empty."""
    if not line.strip():
        return b""
    try:
        if isinstance(json.loads(line), dict):
            return line + b"\n"
    except (ValueError, RecursionError):
        pass
    event = {
        "event": "library_said",
        "said": line.decode("utf-8", "backslashreplace").rstrip(),
        "logger": "stderr",
        "level": "info",
        "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
    }
    return json.dumps(event).encode() + b"\n"


def _write(there: int, data: bytes) -> None:
    """Where lines can no longer be read or written, they are dropped: no program stops for that."""
    left = memoryview(data)
    try:
        while left:
            left = left[os.write(there, left) :]
    except OSError:
        return


if __name__ == "__main__":
    copy_as_json(socket.socket(fileno=0), 1)
