"""Every command in README, CONTRIBUTING and docs: it parses, and what it names exists.

tests/integration/test_documents_run.py runs those in blocks, and the Python of the page about the library;
tests/browser/test_tutorial.py runs the tutorial, and tests/integration/test_documented_receivers.py the receivers of
webhooks.
"""

import ast
import importlib.util
import json
import re
from pathlib import Path

import click
import pytest
import yaml
from werkzeug.routing import MapAdapter

from core.base.config import Settings
from tests.support.documentation import checks, shell
from tests.support.documentation.blocks import PAGES, Code, list_blocks, list_inline
from tests.support.documentation.statements import UNRUN, list_shell_pages, list_statements
from tests.support.paths import ROOT
from web.app import App

DATABASES = ("sqlite",)  # routes do not depend on the kind
BLOBS = ("file",)
SHELL = "sh"
# Pages whose programs a test runs.
WITH_PYTHON = {"python.md", "webhooks.md"}
WITH_JAVASCRIPT = {"webhooks.md"}
# What is shown and not run.
SHOWN = {"text": "what a program prints", "markdown": "a template of a page"}
# A decision stays as it was written, with the commands of its day.
TODAY = tuple(page for page in PAGES if page.parent.name != "decisions")
INLINE = re.compile(r"(?:\.venv/bin/)?(pawsort|make|docker compose|python -m) (.+)", re.DOTALL)


@pytest.fixture
def any_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files in examples are the reader's: click takes them as they are."""
    monkeypatch.setattr(click.Path, "convert", lambda self, value, param, ctx: Path(value))


@pytest.fixture
def routes(app: App) -> MapAdapter:
    return app.url_map.bind("pawsort.example.org")


def test_every_block_says_what_it_is() -> None:
    known = {SHELL, "python", "js", "yaml", "json", *SHOWN}
    assert [f"{block} {block.language!r}" for block in list_blocks() if block.language not in known] == []


def test_every_line_of_shell_names_what_exists(routes: MapAdapter, any_path: None) -> None:
    programs = []
    for block in _blocks(SHELL):
        for command in shell.split(block.text):
            try:
                programs.append(checks.check(command, routes))
            except Exception as error:
                raise AssertionError(f"{block}: {command}: {error}") from error
    starts = [line for block in _blocks(SHELL) for line in block.text.splitlines() if _begins_with_ours(line)]
    assert len([one for one in programs if one in ("pawsort", "make", "docker compose", "curl", "helm")]) >= len(starts)


def test_most_statements_are_run_and_every_reason_for_not_running_one_is_needed() -> None:
    statements = list_statements(list_shell_pages())
    unrun = {one.reason for one in statements if one.reason}
    assert unrun == set(UNRUN.values())
    assert sum(one.reason is None for one in statements) > 2 * sum(one.reason is not None for one in statements)


def test_every_command_in_a_sentence_names_what_exists() -> None:
    found = [(code, match) for code in list_inline(TODAY) if (match := INLINE.fullmatch(code.text))]
    assert len(found) >= 100
    wrong = []
    for code, match in found:
        program, words = match[1], match[2].split()
        try:
            if program == "pawsort":
                checks.check_pawsort_words(words)
            elif program == "make":
                checks.check_make([word for word in words if word.isupper() is False])
            elif program == "python -m":
                assert words[0].endswith("NAME") or importlib.util.find_spec(words[0]), words[0]
        except AssertionError as error:
            wrong.append(f"{code}: {code.text}: {error}")
    assert not wrong, "\n".join(wrong)


def test_every_variable_of_pawsort_on_a_page_is_a_setting() -> None:
    named = {
        (code, name)
        for code in [*list_inline(TODAY), *list_blocks(TODAY)]
        for name in re.findall(r"\bPAWSORT_[A-Z_]+[A-Z]\b", code.text)
        if not name.startswith("PAWSORT_TEST_")
    }
    assert len(named) > len(Settings.model_fields)
    for code, name in named:
        try:
            checks.check_variable(name)
        except AssertionError as error:
            raise AssertionError(f"{code}: {error}") from error


def test_python_on_a_page_compiles_and_imports_what_exists() -> None:
    for block in _blocks("python", TODAY):
        for node in ast.walk(ast.parse(block.text, str(block))):
            modules = [name.name for name in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            assert [name for name in modules if importlib.util.find_spec(name.partition(".")[0]) is None] == [], block


def test_programs_are_on_pages_whose_programs_a_test_runs() -> None:
    assert {block.page.name for block in _blocks("python", TODAY)} == WITH_PYTHON
    assert {block.page.name for block in _blocks("js", TODAY)} == WITH_JAVASCRIPT


def test_data_on_a_page_can_be_read() -> None:
    for block in _blocks("yaml"):
        assert yaml.safe_load(block.text) is not None, block
    for block in _blocks("json"):
        json.loads(block.text)


def test_no_block_is_left_out() -> None:
    fences = sum(len(re.findall(r"^ *```", page.read_text(encoding="utf-8"), re.MULTILINE)) for page in PAGES)
    assert fences == 2 * len(list_blocks())
    assert {page for page in PAGES if page.parent == ROOT} == {ROOT / "README.md", ROOT / "CONTRIBUTING.md"}


def _blocks(language: str, pages: tuple[Path, ...] = PAGES) -> list[Code]:
    return [block for block in list_blocks(pages) if block.language == language]


def _begins_with_ours(line: str) -> bool:
    return bool(re.match(r"\s*(?:\.venv/bin/)?(?:pawsort|make|docker compose|curl|helm) ", line))
