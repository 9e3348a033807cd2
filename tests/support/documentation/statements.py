"""The shell of a page, one statement at a time, and which of them are not run, or run until they are ready."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.documentation.blocks import PAGES, list_blocks

# What no test runs from the page, and why. Everything else is run as it stands.
UNRUN = {
    r"\bdocker (compose|build|push|tag|load|save)\b": "a container engine: `make test-containers` runs these services",
    r"^(kubectl|helm) ": "a Kubernetes cluster: tests/deploy/test_chart.py checks what they name",
    r"^make (test|test-all|test-containers|lint)\b|-m pytest ": "hours: they run this test, or CI runs them",
    r"^make release ": "an environment of its own: tests/deploy/test_release.py runs it in a clone",
    r"pip download ": "a gigabyte of packages from the index",
    r"^PIP_NO_INDEX=1 ": "these packages",
    r"pip install flower|celery .* flower": "a program of others in this environment",
    r"^pawsort queue first ": "a job that waits: tests/client/test_output.py puts one first",
    r"^pawsort (beat$|worker )": "nothing that says when they are ready: tests/worker/test_app.py starts such programs",
}
# Programs that run until somebody stops them, and what they print when they are ready.
SERVERS = {
    r"^make run\s*(#|$)": r"/login",
}


@dataclass(frozen=True)
class Statement:
    """A line of shell with everything that belongs to it."""

    page: Path
    line: int
    text: str

    @property
    def reason(self) -> str | None:
        """Why it is not run; None if it is."""
        return next((reason for pattern, reason in UNRUN.items() if re.search(pattern, self.text)), None)

    @property
    def marker(self) -> str | None:
        """What a server prints when it is ready; None for any other program."""
        return next((marker for pattern, marker in SERVERS.items() if re.search(pattern, self.text)), None)

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}: {self.text}"


def list_shell_pages() -> list[Path]:
    """The pages with shell that belongs to no other test: decisions stay as they were, the tutorial is clicked, too."""
    found = {block.page for block in list_blocks(PAGES) if block.language == "sh"}
    return sorted(page for page in found if page.parent.name != "decisions" and page.name != "tutorial.md")


def list_statements(pages: Sequence[Path]) -> list[Statement]:
    """Every statement of the blocks of shell, in the order of the pages."""
    blocks = [block for block in list_blocks(tuple(pages)) if block.language == "sh"]
    return [one for block in blocks for one in _split(block.page, block.line, block.text)]


def _split(page: Path, first: int, text: str) -> Iterator[Statement]:
    """A loop is one statement, and so is a line that goes on after a backslash."""
    waiting: list[str] = []
    for number, line in enumerate(text.splitlines(), first + 1):
        if not waiting and (not line.strip() or line.lstrip().startswith("#")):
            continue
        waiting.append(line)
        is_loop = waiting[0].startswith("for ")
        if not line.endswith("\\") and (not is_loop or line.strip() == "done"):
            yield Statement(page, number - len(waiting) + 1, "\n".join(waiting))
            waiting = []
    assert not waiting, waiting
