"""The man pages come from the source of `--help`."""

from pathlib import Path

from click.testing import CliRunner

from pawsort.cli import cli
from tests.support.command_tree import iterate_commands


def test_every_command_has_a_man_page_with_its_options_and_examples(tmp_path: Path) -> None:
    assert CliRunner().invoke(cli, ["man", "--to", str(tmp_path)]).exit_code == 0
    pages = {path.stem for path in tmp_path.glob("*.1")}
    assert pages == {"pawsort", *(f"pawsort-{name.replace(' ', '-')}" for name, _ in iterate_commands())}
    page = (tmp_path / "pawsort-classify.1").read_text()
    for line in (
        ".SH NAME",
        ".SH SYNOPSIS",
        ".SH OPTIONS",
        ".B \\-\\-threshold T",
        "pawsort classify photos \\-o photos.csv",
    ):
        assert line in page
