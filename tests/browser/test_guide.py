"""The guide at /help, built by `make docs`: it keeps the content policy, and axe finds nothing in either theme."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_accessibility import AXE, RUN
from tests.support.paths import ROOT
from web.pages.system import help as help_pages

DATABASES = ("sqlite",)  # the guide is files
SHOWN = ("README", "tutorial", "reference/settings", "deployment")


@pytest.fixture(scope="module")
def guide() -> Path:
    """The guide, as `make docs` builds it."""
    built = subprocess.run(["make", "docs"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return help_pages.GUIDE


@pytest.mark.slow
def test_axe_finds_nothing_in_the_guide_and_nothing_breaks_the_content_policy(
    page: Page, site: str, guide: Path
) -> None:
    """The fixture `page` fails for messages of the console, which breaches of the policy are, and for other sites."""
    found: list[Any] = []
    for name in SHOWN:
        page.goto(f"{site}/help/docs/{name}.html")
        expect(page.locator("h1")).to_be_visible()
        page.evaluate(AXE)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            found += [(name, scheme, one) for one in page.evaluate(RUN, [])]
    assert not found, "\n".join(" ".join(map(str, one)) for one in found)


@pytest.mark.slow
def test_the_guide_is_found_from_the_help_page_and_can_be_searched(owner_page: Page, site: str, guide: Path) -> None:
    owner_page.goto(f"{site}/help")
    owner_page.get_by_role("link", name="Tutorial").click()
    expect(owner_page.get_by_role("heading", level=1)).to_contain_text("Tutorial")
    owner_page.goto(f"{site}/help/search.html?q=threshold")
    expect(owner_page.locator("#search-results li").first).to_be_visible()
    owner_page.get_by_role("link", name="Back to Pawsort").click()
    expect(owner_page).to_have_url(f"{site}/")
