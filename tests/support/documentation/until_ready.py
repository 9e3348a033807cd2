"""Run a server on a terminal until it says that it is ready, and stop it with Ctrl-C: `… until_ready MARKER LINE`."""

import os
import pty
import re
import signal
import subprocess
import sys

STOP_S = 60.0


def main(marker: str, line: str) -> None:
    """Start the line in a shell; fail if it ends before it is ready, or does not end afterwards."""
    terminal, inside = pty.openpty()
    command = ["bash", "-c", line]
    process = subprocess.Popen(command, stdin=inside, stdout=inside, stderr=inside, start_new_session=True)
    os.close(inside)
    said = b""
    try:
        while not re.search(marker.encode(), said):
            try:
                said += os.read(terminal, 65536)
            except OSError:  # its end closed the terminal
                sys.exit(f"{line} ended before it printed {marker}:\n{said.decode(errors='replace')}")
        os.killpg(process.pid, signal.SIGINT)
        while True:
            try:
                os.read(terminal, 65536)
            except OSError:
                break
        process.wait(STOP_S)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
