"""Fenced blocks and inline code of every page."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.support.paths import ROOT

# The changelog names what was before, too.
PAGES = tuple(sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]))


@dataclass(frozen=True)
class Code:
    """A piece of code on a page; `language` is "" for inline code, and for a block that names none."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def list_blocks(pages: tuple[Path, ...] = PAGES) -> list[Code]:
    """Every fenced block."""
    return [
        Code(page, _line(token), token.info.strip(), token.content)
        for page in pages
        for token in parse(page)
        if token.type == "fence"
    ]


def list_inline(pages: tuple[Path, ...] = PAGES) -> list[Code]:
    """Every piece of inline code."""
    return [
        Code(page, _line(token), "", child.content)
        for page in pages
        for token in parse(page)
        for child in token.children or ()
        if child.type == "code_inline"
    ]


def parse(page: Path) -> Iterator[Token]:
    """The tokens of a page, with tables."""
    return iter(MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8")))


def _line(token: Token) -> int:
    return token.map[0] + 1 if token.map else 0
