"""Completion in the shells themselves, on a terminal: what is typed before the Tab key becomes a whole command."""

import fcntl
import os
import pty
import select
import shutil
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pawsort.commands.shell.completion import SHELLS
from tests.support.paths import ROOT
from tests.support.waiting import until

pytestmark = pytest.mark.slow

PROMPT = "ready> "
START = {
    "bash": (".bashrc", f"PS1='{PROMPT}'\n", ["bash", "-i"]),
    "zsh": (".zshrc", f"PS1='{PROMPT}'\n", ["zsh", "-i"]),
    "fish": (".config/fish/config.fish", f"function fish_prompt; printf '{PROMPT}'; end\n", ["fish", "-i"]),
}
# Completes, and otherwise notes its words.
WRAPPER = """#!/bin/sh
if [ -z "$_PAWSORT_COMPLETE" ]; then echo "$@" >> "$NOTES"; exit; fi
exec {python} -m pawsort "$@"
"""


class Shell:
    """An interactive shell on a terminal."""

    def __init__(self, screen: int) -> None:
        self._screen = screen
        self.shown = ""

    def type(self, text: str) -> None:
        os.write(self._screen, text.encode())

    def shows(self, text: str) -> bool:
        while select.select([self._screen], [], [], 0)[0]:
            try:
                self.shown += os.read(self._screen, 4096).decode(errors="replace")
            except OSError:  # it has ended
                break
        return text in self.shown


@pytest.fixture(params=SHELLS)
def name(request: pytest.FixtureRequest) -> str:
    shell: str = request.param
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    return shell


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A home of its own, with a `pawsort` on the PATH."""
    wrapper = tmp_path / "bin" / "pawsort"
    wrapper.parent.mkdir()
    wrapper.write_text(WRAPPER.format(python=sys.executable))
    wrapper.chmod(0o755)
    return {
        "HOME": str(tmp_path),
        "PATH": f"{wrapper.parent}:{os.environ['PATH']}",
        "PYTHONPATH": f"{ROOT}:{ROOT / 'client'}",
        "NOTES": str(tmp_path / "notes"),
        "TERM": "xterm",
        "PAWSORT_SERVER": "http://127.0.0.1:9",
    }


@contextmanager
def running(name: str, environment: dict[str, str]) -> Iterator[Shell]:
    screen, terminal = pty.openpty()
    process = subprocess.Popen(
        START[name][2],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env=environment,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # signals of the terminal are this session's
    )
    os.close(terminal)
    try:
        yield Shell(screen)
    finally:
        process.kill()
        process.wait()
        os.close(screen)


def test_commands_and_options_are_completed(name: str, environment: dict[str, str], tmp_path: Path) -> None:
    file, text, _ = START[name]
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(text)
    installing = [sys.executable, "-m", "pawsort", "completion", "install", name]
    subprocess.run(installing, env=environment, check=True, capture_output=True)
    if name == "bash":  # as where the package bash-completion is missing
        with (tmp_path / file).open("a") as start_file:
            script = tmp_path / ".local/share/bash-completion/completions/pawsort"
            start_file.write(f"source '{script}'\n")
    with running(name, environment) as shell:
        until(lambda: shell.shows(PROMPT), what="the prompt", explain=lambda: shell.shown)
        shell.type("pawsort queu\t\n")
        shell.type("pawsort jobs --lim\t5\n")
        notes = tmp_path / "notes"
        until(lambda: _count_lines(notes) == 2, what="two commands", explain=lambda: shell.shown)
    assert notes.read_text().splitlines() == ["queue", "jobs --limit 5"]


def _count_lines(file: Path) -> int:
    return len(file.read_text().splitlines()) if file.exists() else 0
