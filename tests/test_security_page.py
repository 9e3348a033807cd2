"""docs/security.md: what it says about ASVS names tests that exist, and each requirement once."""

import re

from tests.support.paths import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.split("|")[1:-1]]
    for line in PAGE.splitlines()
    if re.match(r"\| \d+\.\d+\.\d+", line)
]
CHAPTERS = set(range(1, 17))
TEMPLATES = ROOT / "web" / "templates"


def _tests() -> set[str]:
    files = (ROOT / "tests").rglob("test_*.py")
    return {name for file in files for name in re.findall(r"^ *def (test_\w+)", file.read_text("utf-8"), re.MULTILINE)}


def test_every_test_that_it_names_exists() -> None:
    assert set(re.findall(r"`(test_\w+)`", PAGE)) <= _tests()


def test_each_requirement_is_met_not_applicable_or_open_once() -> None:
    numbers = [number for row in ROWS for number in row[0].split(", ")]
    assert len(numbers) == len(set(numbers)) > 200
    assert {int(number.partition(".")[0]) for number in numbers} == CHAPTERS
    assert {row[1] for row in ROWS} == {"met", "not applicable", "open"}


def test_what_is_met_names_a_test_and_everything_else_a_reason() -> None:
    for row in ROWS:
        assert len(row[2]) > 3, row[0]
        has_check = len(row) > 3 and ("`test_" in row[3] or "`make lint`" in row[3])
        assert has_check == (row[1] == "met"), row[0]


def test_password_fields_hide_what_is_typed_and_suit_password_managers() -> None:
    field = (TEMPLATES / "account" / "_password.html").read_text("utf-8")
    assert 'type="password"' in field
    assert 'autocomplete="{{ autocomplete }}"' in field
    used = "".join(page.read_text("utf-8") for page in TEMPLATES.rglob("*.html"))
    assert {"current-password", "new-password"} <= set(re.findall(r"(?:current|new)-password", used))
    assert "onpaste" not in used


def test_every_page_has_a_way_to_log_out() -> None:
    frame = (TEMPLATES / "shared" / "base.html").read_text("utf-8")
    assert "/logout" in frame or "login_pages.log_out" in frame
