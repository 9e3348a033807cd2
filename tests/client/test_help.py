"""Examples in the help of every command: each has some, and each can be typed as it stands."""

import shlex
from pathlib import Path

import click
import pytest

from pawsort.cli import cli
from pawsort.help import examples_of
from tests.support.command_tree import iterate_commands

COMMANDS = dict(iterate_commands())
JOB = "6b7f1c1e-0f5b-4e5e-9f39-0b1d1f6f2a11"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_examples_of_itself(name: str) -> None:
    examples = examples_of(COMMANDS[name])
    assert examples
    assert any(f"pawsort {name}" in example for example in examples)


def _words(example: str) -> list[str]:
    """What follows `pawsort` in an example, up to the next command of the shell."""
    words = shlex.split(example.replace("$(", " ").replace("<(", " ").replace(")", " "), comments=False)
    words = words[words.index("pawsort") + 1 :]
    end = next((number for number, word in enumerate(words) if word in ("|", "||", "&&")), len(words))
    return [JOB if word in ("JOB", "BATCH") else word for word in words[:end]]


def _parse(group: click.Group, words: list[str], parent: click.Context | None = None) -> None:
    """Let click read the words as it would, without running anything."""
    context = group.make_context("pawsort", words, parent=parent)
    rest = [*context._protected_args, *context.args]
    if not rest:
        assert group.invoke_without_command, words
        return
    _, command, rest = group.resolve_command(context, rest)
    assert command is not None
    if isinstance(command, click.Group):
        _parse(command, rest, context)
    else:
        command.make_context(command.name, rest, parent=context)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_example_can_be_typed_as_it_stands(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for file in ("holiday.zip", "results.csv", "results.parquet"):
        (tmp_path / file).touch()
    for folder in ("photos", "pets", "sorted", "backups"):
        (tmp_path / folder).mkdir()
    for example in examples_of(COMMANDS[name]):
        _parse(cli, [word.replace("/mnt/backups", "backups") for word in _words(example)])
