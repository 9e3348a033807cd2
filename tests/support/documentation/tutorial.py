"""The tutorial as a list of steps: blocks of shell are run, words in bold are clicked, in the order of the page."""

import os
import pty
import re
import signal
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from playwright.sync_api import Page

from tests.support.deadlines import within
from tests.support.documentation.blocks import parse
from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "tutorial.md"
START = "make run\n"
LINK = re.compile(rb"http://\S+/login\S*")
# Longer than anything takes on a machine that downloads all packages.
START_S = 900.0


@dataclass(frozen=True)
class Step:
    """A block to run, or a name to click."""

    section: str
    text: str
    is_shell: bool


def read_steps(page: Path = PAGE) -> list[Step]:
    """All steps, in the order of the page."""
    return list(_steps(page))


def _steps(page: Path) -> Iterator[Step]:
    section, is_heading = "", False
    for token in parse(page):
        is_heading = token.type == "heading_open" or (is_heading and token.type != "heading_close")
        if token.type == "fence" and token.info == "sh":
            yield Step(section, token.content, True)
        if token.type == "inline" and is_heading:
            section = token.content
        children = token.children or []
        for n, child in enumerate(children):
            if child.type == "strong_open":
                yield Step(section, children[n + 1].content, False)


def click(page: Page, name: str) -> None:
    """Click the first button or link with these words, as soon as there is one."""
    words = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    control = page.get_by_role("button", name=words).or_(page.get_by_role("link", name=words)).first
    control.click(timeout=within(15) * 1000)


def run(text: str, folder: Path, environment: dict[str, str]) -> str:
    """Run a block in a folder; returns what it printed."""
    command = ["bash", "-eu", "-o", "pipefail", "-c", text]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
    return done.stdout


class FirstTerminal:
    """`make run` on a terminal of its own, as a person starts it."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._terminal, inside = pty.openpty()
        self._process = subprocess.Popen(
            ["sh", "-c", START], cwd=folder, env=environment, stdin=inside, stdout=inside, stderr=inside,
            start_new_session=True,
        )  # fmt: skip
        os.close(inside)
        self._said = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        os.close(self._terminal)

    def wait_for_link(self) -> str:
        """The link that it prints."""
        while (found := LINK.search(self._said)) is None:
            part = os.read(self._terminal, 65536)
            assert part, f"make run ended:\n{self._said.decode(errors='replace')}"
            self._said += part
        return found[0].decode()

    def press_ctrl_c(self) -> None:
        """End it as the tutorial says."""
        os.killpg(self._process.pid, signal.SIGINT)
        self._process.wait(within(60))


def clicks(steps: Sequence[Step], section: str) -> list[str]:
    """What a section says to click."""
    return [step.text for step in steps if step.section == section and not step.is_shell]
