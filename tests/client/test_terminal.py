"""What commands print: no name or sentence of a server turns a terminal's colours, title or direction of text."""

import ast
import sys

import click
import pytest

from pawsort import cli, terminal
from pawsort.console import Terminal
from pawsort.terminal import TextTable, visible
from tests.support.paths import ROOT

HOSTILE = "a\x1b]0;owned\x07\x9b31m\u202egpj.\u200b\r\n\u2028\udce9z"
SHOWN = r"a\x1b]0;owned\x07\x9b31m\u202egpj.\u200b\r\n\u2028\udce9z"
CLIENT = ROOT / "client" / "pawsort"


def test_what_a_terminal_obeys_or_hides_is_written_out():
    assert visible(HOSTILE) == SHOWN


@pytest.mark.parametrize("name", ["кошка 1.jpg", "猫\u3000(1).jpg", "café", "cafe\u0301", "قطة", "😺 [red]", "a\\b"])
def test_what_is_seen_stays_as_it_is(name):
    assert visible(name) == name


def test_lines_and_tables_show_names_written_out(capsys):
    terminal.echo(HOSTILE)
    table = TextTable("name")
    table.add_row(HOSTILE)
    table.print()
    Terminal().print(HOSTILE, style="red")
    said = capsys.readouterr()
    assert said.out == f"{SHOWN}\nname{' ' * (len(SHOWN) - 4)}\n{SHOWN}\n"
    assert said.err == f"{SHOWN}\n"


@pytest.mark.parametrize("kind", [click.ClickException, click.UsageError, click.BadParameter])
def test_an_error_shows_what_it_quotes_written_out(kind, capsys, monkeypatch):
    def fail(**_):
        raise kind(f"{HOSTILE} is no folder.")

    monkeypatch.setattr(cli.cli, "main", fail)
    monkeypatch.setattr(sys, "argv", ["pawsort"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == kind.exit_code
    assert "\x1b" not in (said := capsys.readouterr().err)
    assert r"a\x1b]0;owned\x07\x9b31m\u202egpj" in said


def test_nothing_is_printed_in_another_way():
    ways = {"click.echo", "click.secho", "print", "Console", "Table", "sys.stdout.write", "sys.stderr.write"}
    found = [
        f"{path.name}:{node.lineno} {ast.unparse(node.func)}"
        for path in CLIENT.rglob("*.py")
        if path.name not in ("terminal.py", "console.py", "cli.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ways
    ]
    assert not found
