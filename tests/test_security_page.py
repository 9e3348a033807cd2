"""docs/security.md: what it says about ASVS names tests that exist, and each requirement once."""

import re

from tests.support.paths import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.split("|")[1:-1]]
    for line in PAGE.splitlines()
    if re.match(r"\| \d+\.\d+\.\d+", line)
]
TEMPLATES = ROOT / "web" / "templates"


def _tests() -> set[str]:
    files = (ROOT / "tests").rglob("test_*.py")
    return {name for file in files for name in re.findall(r"^ *def (test_\w+)", file.read_text("utf-8"), re.MULTILINE)}


# How many requirements of levels 1 and 2 each section of ASVS 5.0 has, chapter by chapter; they come first in it.
# 3.6, 6.7, 11.7 and 15.4 have none. Source: OWASP_Application_Security_Verification_Standard_5.0.0_en.csv
SECTIONS = {
    1: {1: 2, 2: 9, 3: 11, 4: 3, 5: 2},
    2: {1: 3, 2: 3, 3: 4, 4: 1},
    3: {2: 2, 3: 4, 4: 6, 5: 5, 7: 2},
    4: {1: 3, 2: 1, 3: 2, 4: 4},
    5: {1: 1, 2: 3, 3: 2, 4: 3},
    6: {1: 3, 2: 12, 3: 4, 4: 4, 5: 5, 6: 3, 8: 4},
    7: {1: 3, 2: 4, 3: 2, 4: 5, 5: 2, 6: 2},
    8: {1: 2, 2: 3, 3: 1, 4: 1},
    9: {1: 3, 2: 4},
    10: {1: 2, 2: 2, 3: 4, 4: 11, 5: 5, 6: 2, 7: 3},
    11: {1: 2, 2: 3, 3: 3, 4: 4, 5: 1, 6: 1},
    12: {1: 3, 2: 2, 3: 4},
    13: {1: 1, 2: 5, 3: 2, 4: 5},
    14: {1: 2, 2: 4, 3: 3},
    15: {1: 3, 2: 3, 3: 7},
    16: {1: 1, 2: 5, 3: 4, 4: 3, 5: 3},
}


def test_every_test_that_it_names_exists() -> None:
    assert set(re.findall(r"`(test_\w+)`", PAGE)) <= _tests()


def test_each_requirement_is_met_not_applicable_or_open_once() -> None:
    numbers = [number for row in ROWS for number in row[0].split(", ")]
    expected = {
        f"{chapter}.{section}.{n}"
        for chapter, sections in SECTIONS.items()
        for section, n_requirements in sections.items()
        for n in range(1, n_requirements + 1)
    }
    assert sorted(numbers) == sorted(expected)
    assert {row[1] for row in ROWS} == {"met", "not applicable", "open"}
    n_open = sum(len(row[0].split(", ")) for row in ROWS if row[1] == "open")
    assert f" {n_open} are open" in PAGE


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
