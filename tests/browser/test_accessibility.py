"""axe-core on every page, light and dark, wide and narrow, and its width. A page that is left out fails a test.

The usual run takes some pages, the long run all.
"""

from importlib.resources import files
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from core.base.database import Database
from core.storage.blobs import Blobs
from tests.support.browser.chromium import show_pictures
from tests.support.browser.furnished_site import Shown, furnish, list_endpoints
from tests.support.browser.login import log_in_as
from web.app import App

DATABASES = ("sqlite",)  # pages do not differ between databases

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
RUN = """async (but) => {
  const rules = Object.fromEntries(but.map((rule) => [rule, { enabled: false }]));
  const { violations } = await axe.run(document, { resultTypes: ["violations"], rules });
  return violations.map(({ id, help, nodes }) => ({ id, help, where: nodes.map(({ html }) => html.slice(0, 200)) }));
}"""
# What a colour scheme can change, and most of the time would go to.
COLOURS = ["color-contrast", "link-in-text-block"]
RUN_COLOURS = Path(__file__).with_name("colours.js").read_text(encoding="utf-8")
NAMELESS_TABLES = "() => [...document.querySelectorAll('table')].flatMap((one) => (one.caption ? [] : [one.outerHTML]))"
HAS_PICTURES = "() => document.querySelector('[data-grid]')?.offsetHeight > 0"
WIDTHS = (1280, 360)
SOME = 7  # of so many pages, one is gone over in the usual run
NARROW = (320, 640)  # WCAG's smallest window, and a usual one at 200 % zoom
# After two frames, in which scripts place the pictures of a grid anew.
IS_WIDER = """async () => {
  for (const _ of [1, 2]) await new Promise(requestAnimationFrame);
  return document.documentElement.scrollWidth > innerWidth;
}"""
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def test_every_page_is_gone_over(app: App, db: Database, blobs: Blobs) -> None:
    covered = {shown.endpoint for shown in furnish(db, blobs)} - {"error"}
    assert list_endpoints(app) == covered, "add what is missing to tests/support/browser/furnished_site.py"


@pytest.mark.parametrize("step", [pytest.param(1, marks=pytest.mark.slow), SOME], ids=["all pages", "some pages"])
def test_axe_finds_nothing_on_any_page_and_none_is_wider_than_the_window(
    page: Page, site: str, db: Database, blobs: Blobs, step: int
) -> None:
    found: list[Any] = []
    is_in = False
    for shown in sorted(furnish(db, blobs), key=lambda one: one.needs_login)[::step]:
        if shown.needs_login and not is_in:
            log_in_as(page, site, db)
            is_in = True
        _open(page, site, shown)
        found += [(shown, "a table without a caption", one) for one in page.evaluate(NAMELESS_TABLES)]
        for width in NARROW:
            page.set_viewport_size({"width": width, "height": 900})
            found += [(shown, width, "wider than the window")] * page.evaluate(IS_WIDER)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            found += [(shown, width, one) for one in page.evaluate(RUN, COLOURS)]
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)
                found += [(shown, width, scheme, one) for one in page.evaluate(RUN_COLOURS, COLOURS)]
    assert not found, "\n".join(" ".join(map(str, one)) for one in found)


def _open(page: Page, site: str, shown: Shown) -> None:
    page.goto(site + shown.address)
    assert urlsplit(page.url).path == urlsplit(shown.address).path, "and not the page that asks for a login"
    if page.evaluate(HAS_PICTURES):
        show_pictures(page)
    for key in shown.keys:
        page.keyboard.press(key)
    for element in shown.clicks:
        page.locator(element).click()
    page.evaluate(AXE)
