"""What README and documents name exists: results, files, modules, functions. Commands: test_documented_commands.py."""

import ast
import re
from pathlib import Path

import pytest

from core.base.errors import ErrorCode, ImageWarning
from tests.support.paths import ROOT
from web.exports.tables import COLUMNS

REFERENCE = ROOT / "docs" / "reference"
README = (ROOT / "README.md").read_text(encoding="utf-8")
RESULT_PAGE = (REFERENCE / "results.md").read_text(encoding="utf-8")
PAGES = tuple(sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]))
# A part of docs/seed-results.md; its links are relative to that page.
INCLUDED = ROOT / "docs" / "seed-results" / "findings.md"
# Folders with sources, and groups of entry points that look like modules.
FOLDERS = {file.parent.name for file in ROOT.glob("*/__init__.py")} | {"client", "deploy", "docs", "requirements"}
GROUPS = {"pawsort.commands", "pawsort.instances"}


def test_the_page_about_results_has_the_columns_in_their_order() -> None:
    assert f"    {','.join(COLUMNS)}\n" in RESULT_PAGE


def test_the_page_about_results_has_every_error_code_and_warning_and_no_other() -> None:
    rows = re.findall(r"^\| (`.+?) \|", RESULT_PAGE.partition("## Error codes")[2], re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", " ".join(rows))) == {*ErrorCode, *ImageWarning}


def test_the_readme_fits_one_screen() -> None:
    assert len(README.splitlines()) <= 50


def test_every_file_that_a_page_points_to_exists() -> None:
    assert len(re.findall(r"\]\(([\w/-]+\.(?:md|png))\)", README)) >= 4
    for page in PAGES:
        if page == INCLUDED:
            continue
        for file in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / file).exists(), f"{page}: {file}"


def test_the_first_page_of_the_guide_leads_to_every_other() -> None:
    docs = ROOT / "docs"
    linked = set(re.findall(r"\]\(([\w/-]+\.md)\)", (docs / "README.md").read_text(encoding="utf-8")))
    pages = {str(page.relative_to(docs)) for page in [*docs.glob("*.md"), *(docs / "reference").glob("*.md")]}
    assert pages - {"README.md"} <= linked


def _defines(module: Path, name: str) -> bool:
    """Whether a module defines a name, at its top or in one of its classes."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    return any(
        getattr(node, "name", None) == name or (isinstance(node, ast.Name) and node.id == name)
        for node in ast.walk(tree)
    )


def _exists(dotted: str) -> bool:
    """Whether a dotted name is a package, a module, or something in one."""
    first, *rest = dotted.split(".")
    place = ROOT / ("client/pawsort" if first == "pawsort" else first)
    while rest and (place / rest[0]).is_dir():
        place /= rest.pop(0)
    if not rest:
        return place.is_dir()
    module = place / f"{rest[0]}.py"
    return module.is_file() and (len(rest) == 1 or _defines(module, rest[1]))


# The changelog names what was before, too.
@pytest.mark.parametrize(
    "page",
    [ROOT / "NOTICE", *(page for page in PAGES if page.name != "CHANGELOG.md")],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_every_source_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    folders = "|".join(sorted(FOLDERS))
    files = re.findall(rf"(?<![\w./-])((?:{folders})/(?:[\w.-]+/)*[\w.-]*)", text)
    assert [file for file in files if not (ROOT / file.rstrip(".")).exists()] == []
    names = re.findall(rf"`((?:{folders}|pawsort)(?:\.\w+)+)(?:\(\))?`", text)
    assert [name for name in names if name not in GROUPS and not _exists(name)] == []


def test_every_function_beside_a_file_in_a_table_is_in_that_file() -> None:
    pairs = [
        pair
        for page in PAGES
        for pair in re.findall(r"\| `([\w/]+\.py)` \| `(\w+)` \|", page.read_text(encoding="utf-8"))
    ]
    assert len(pairs) >= 10
    assert [(file, name) for file, name in pairs if not _defines(ROOT / file, name)] == []


def test_every_table_that_a_first_task_extends_is_in_its_file() -> None:
    steps = re.split(r"\n(?=\d\. )", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    pairs = []
    for step in steps:
        files = [ROOT / file for file in re.findall(r"`([\w/]+\.(?:py|js))`", step)]
        pairs += [(name, files) for name in re.findall(r"`(?!PAWSORT)(_?[A-Z]{4}[A-Z_]*)`", step.partition("\n\n")[0])]
    assert len(pairs) >= 12
    for name, files in pairs:
        assert any(re.search(rf"\b{name}\b", file.read_text(encoding="utf-8")) for file in files), (name, files)


def test_every_decision_is_in_the_index_and_no_other() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| \[\d{4}\]\((\d{4}-[\w-]+\.md)\)", index, re.MULTILINE)) == {
        file.name for file in folder.glob("[0-9]*.md")
    }


def test_requirement_files_carry_no_address() -> None:
    files = list((ROOT / "requirements").glob("*.txt"))
    assert {file.stem for file in files} == {"docs", "gpu", "run", "test", "training", "web", "worker"}
    for file in files:
        assert "://" not in file.read_text(encoding="utf-8")
        assert "tensorflow" not in file.read_text(encoding="utf-8") or file.name not in ("web.txt", "worker.txt")


def test_a_run_and_its_tests_use_the_same_versions() -> None:
    def pins(name: str) -> set[str]:
        lines = (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines()
        pinned = [line for line in lines if "==" in line and not line.startswith((" ", "#"))]
        # What only some systems need, others may need for tests.
        return {line.removesuffix(" \\").partition(" ;")[0] for line in pinned}

    assert pins("web.txt") <= pins("run.txt") <= pins("test.txt")
