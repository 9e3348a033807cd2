"""The page 'System' in a browser without JavaScript, on a phone."""

from playwright.sync_api import expect

from core.accounts import accounts
from core.base.database import Database
from core.operations import workers
from tests.support.browser.chromium import OpenContext

DATABASES = ("sqlite",)  # pages do not differ between databases


def test_whoever_runs_it_sees_on_a_phone_without_javascript_what_is_wrong(
    open_context: OpenContext, site: str, db: Database
) -> None:
    with db.write() as session:
        token = accounts.create_token(session, "phone")
        workers.add_worker(session, 77, "maintenance", "cpu", {"pawsort": "0.0.1"})
    page = open_context(java_script_enabled=False, viewport={"width": 390, "height": 844}).new_page()
    page.goto(f"{site}/login?token={token}")
    page.get_by_role("link", name="System").click()
    expect(page.get_by_role("heading", name="System")).to_be_visible()
    alerts = page.get_by_role("alert").all_inner_texts()
    assert alerts[0].startswith("No inference worker is alive")
    assert any("another version (0.0.1)" in alert for alert in alerts)
    expect(page.get_by_role("row", name="process 77")).to_be_visible()
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
