"""The page 'System' in a browser: without JavaScript on a phone, and while it refreshes itself."""

from playwright.sync_api import Page, expect

from core.base.database import Database
from core.operations import workers
from tests.support.browser.chromium import OpenContext
from tests.support.browser.login import log_in_as

DATABASES = ("sqlite",)  # pages do not differ between databases


def test_whoever_runs_it_sees_on_a_phone_without_javascript_what_is_wrong(
    open_context: OpenContext, site: str, db: Database
) -> None:
    with db.write() as session:
        workers.add_worker(session, 77, "maintenance", "cpu", {"pawsort": "0.0.1"})
    page = open_context(java_script_enabled=False, viewport={"width": 390, "height": 844}).new_page()
    log_in_as(page, site, db)
    page.get_by_role("link", name="System").click()
    expect(page.get_by_role("heading", name="System")).to_be_visible()
    page.wait_for_load_state()
    alerts = page.get_by_role("alert").all_inner_texts()
    assert alerts[0].startswith("No inference worker is alive")
    assert any("another version (0.0.1)" in alert for alert in alerts)
    expect(page.get_by_role("row", name="process 77")).to_be_visible()
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390


def test_it_refreshes_itself_and_keeps_what_was_opened(owner_page: Page, site: str, db: Database) -> None:
    owner_page.clock.install()
    owner_page.goto(f"{site}/system")
    opened = owner_page.get_by_text("Slowest requests").first
    opened.click()
    expect(owner_page.get_by_text("No inference worker is alive")).to_be_visible()
    with db.write() as session:
        for queue in ("inference", "training", "maintenance"):
            workers.add_worker(session, 78, queue, "cpu", {"pawsort": "0.0.1"})
    owner_page.clock.fast_forward(5000)
    expect(owner_page.get_by_text("No inference worker is alive")).to_have_count(0)
    expect(owner_page.get_by_role("row", name="process 78")).to_have_count(3)
    expect(owner_page.locator("details[open]")).to_have_count(1)
