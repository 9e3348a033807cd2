"""A block of shell, taken apart into simple commands. Knows what the documents use, and refuses the rest."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

SUBSTITUTION = re.compile(r"\$\(([^()]*)\)")
ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
SEPARATORS = {";", "|", "||", "&&", "&"}
REDIRECTIONS = {"<", ">", ">>", "2>", "2>&1"}
KEYWORDS = {"do", "done", "then", "fi"}


@dataclass(frozen=True)
class Command:
    """The words of a simple command, and the variables that are set in front of it."""

    words: tuple[str, ...]
    variables: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return shlex.join(self.words)


def split(text: str) -> Iterator[Command]:
    """The simple commands of a block, those in `$(…)` too, in their order."""
    for line in text.replace("\\\n", " ").splitlines():
        for inside in SUBSTITUTION.findall(line):
            yield from _simple(inside)
        yield from _simple(SUBSTITUTION.sub("VALUE", line))


def _simple(line: str) -> Iterator[Command]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";|&<>")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if word not in SEPARATORS:
            words.append(word)
        elif words:
            if (command := _command(words)) is not None:
                yield command
            words = []


def _command(words: list[str]) -> Command | None:
    while words and words[0] in KEYWORDS:
        words = words[1:]
    if not words or words[0] == "for":
        return None
    variables = []
    start = words[1:] if words[0] == "export" else words
    while start and (found := ASSIGNMENT.fullmatch(start[0])):
        variables.append((found[1], found[2]))
        start = start[1:]
    return Command(tuple(_without_redirections(start)), tuple(variables))


def _without_redirections(words: list[str]) -> Iterator[str]:
    rest = iter(words)
    for word in rest:
        if word in REDIRECTIONS:
            next(rest)
        else:
            yield word
