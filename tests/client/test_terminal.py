"""What commands print: no name or sentence of a server turns a terminal's colours, title or direction of text."""

import ast
import sys

import click
import pytest

from pawsort import cli, terminal
from pawsort.console import StatusLine, Terminal
from pawsort.terminal import TextTable, visible
from pawsort.uploads.progress import ProgressBars
from tests.support.paths import ROOT

HOSTILE = "a\x1b]0;owned\x07\x9b31m\u202egpj.\u200b\r\n\u2028\udce9z"
SHOWN = r"a\x1b]0;owned\x07\x9b31m\u202egpj.\u200b\r\n\u2028\udce9z"
CLIENT = ROOT / "client" / "pawsort"


@pytest.fixture
def on_terminal(capsys, monkeypatch):
    """Both outputs are a terminal."""
    monkeypatch.setattr(type(sys.stdout), "isatty", lambda stream: True)


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
    Terminal().report(HOSTILE)
    said = capsys.readouterr()
    assert said.out == f"{SHOWN}\nname\n{SHOWN}\n"
    assert said.err == f"{SHOWN}\n"


def make_table():
    table = TextTable("job", "name", "pictures", right=("pictures",))
    table.add_row("3f0e0c1e-5a52", "summer holidays by the sea", "1,200")
    table.add_row("77", "猫と犬の写真がたくさん", "9")
    return table


def test_columns_begin_below_each_other_whatever_the_characters(capsys):
    make_table().print()
    assert capsys.readouterr().out.splitlines() == [
        "job            name                        pictures",
        "3f0e0c1e-5a52  summer holidays by the sea     1,200",
        "77             猫と犬の写真がたくさん             9",
    ]


def test_a_narrow_terminal_wraps_columns_but_never_the_first(capsys, on_terminal, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    make_table().print()
    heading, *lines = capsys.readouterr().out.splitlines()
    assert heading == "\x1b[1mjob            name             pictures\x1b[0m"
    assert lines == [
        "3f0e0c1e-5a52  summer holidays     1,200",
        "               by the sea",
        "77             猫と犬の写真が          9",
        "               たくさん",
    ]


def test_a_long_word_is_broken(capsys, on_terminal, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    table = TextTable("n", "name")
    table.add_row("1", "a/0123456789abcdefghij")
    table.print()
    assert capsys.readouterr().out.splitlines()[1:] == ["1  a/0123456789abcde", "   fghij"]


def test_no_color_is_respected(capsys, on_terminal, monkeypatch):
    Terminal().warn("careful")
    monkeypatch.setenv("NO_COLOR", "1")
    Terminal().warn("careful")
    assert capsys.readouterr().err == "\x1b[33mcareful\x1b[0m\ncareful\n"


def test_a_line_is_printed_above_the_bars_which_are_drawn_again(capsys, on_terminal):
    with ProgressBars(Terminal()) as bars:
        bars.start_upload("photos", 1200)
        bars.show_classified(0, 1200)
        terminal.warn("The server is away.")
        before, after = capsys.readouterr().err.split("The server is away.\n")
        bars.add_uploaded(1200)
    assert "uploading photos" in before
    assert "classified" in before
    assert before.rpartition("\r")[2].strip() in ("", "\x1b[A")
    assert "uploading photos" in after
    assert "classified" in after
    assert "1,200 of 1,200" in capsys.readouterr().err


def test_a_changing_line_leaves_nothing_behind(capsys, on_terminal):
    with StatusLine(Terminal(), "checking") as line:
        line.update("training, 3 of 10")
    said = capsys.readouterr().err
    assert "checking" in said
    assert said.endswith(f"\r{' ' * len('training, 3 of 10')}\r")


@pytest.mark.parametrize("is_quiet", [True, False])
def test_what_changes_is_for_terminals_that_are_not_quiet(capsys, request, is_quiet):
    console = Terminal()
    console.is_quiet = is_quiet
    if is_quiet:
        request.getfixturevalue("on_terminal")
    with ProgressBars(console) as bars, StatusLine(console, "checking"):
        bars.start_upload("photos", 2)
        bars.add_uploaded(2)
    assert capsys.readouterr().err == ""


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
    ways = {"click.echo", "click.secho", "print", "tqdm.write", "sys.stdout.write", "sys.stderr.write"}
    found = [
        f"{path.name}:{node.lineno} {ast.unparse(node.func)}"
        for path in CLIENT.rglob("*.py")
        if path.name not in ("terminal.py", "console.py", "cli.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ways
    ]
    assert not found
