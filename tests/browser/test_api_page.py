"""The page of the API: calls are tried on it, as the person who is logged in."""

from playwright.sync_api import Page, expect

from core.base.database import Database
from tests.support.browser.chromium import OpenContext

DATABASES = ("sqlite",)  # pages do not differ between databases


def test_calls_are_sent_and_their_answers_shown(owner_page: Page, site: str, db: Database) -> None:
    owner_page.goto(f"{site}/docs")

    def open_call(method: str, path: str) -> None:
        owner_page.locator(f"[data-method={method}][data-path='{path}'] > summary").click()

    open_call("GET", "/api/v1/jobs")
    jobs = owner_page.get_by_role("form", name="Try GET /api/v1/jobs", exact=True)
    expect(jobs.locator("code", has_text="next")).to_be_visible()
    jobs.get_by_label("state (query, optional)").select_option("running")
    jobs.get_by_role("button", name="Send GET").click()
    answer = owner_page.locator("[data-path='/api/v1/jobs'] .try")
    expect(answer.get_by_role("status")).to_contain_text("200")
    expect(answer).to_contain_text('"items": []')
    expect(answer).to_contain_text(f"{site}/api/v1/jobs?state=running'")
    open_call("POST", "/api/v1/tokens")
    tokens = owner_page.get_by_role("form", name="Try POST /api/v1/tokens", exact=True)
    tokens.get_by_label("Body (application/json)").fill('{"name": "camera"}')
    tokens.get_by_role("button", name="Send POST").click()
    answer = owner_page.locator("[data-method=POST][data-path='/api/v1/tokens'] .try")
    expect(answer.get_by_role("status")).to_contain_text("201")
    expect(answer).to_contain_text('"name": "camera"')


def test_without_javascript_nothing_can_be_tried_and_everything_be_read(open_context: OpenContext, site: str) -> None:
    page = open_context(java_script_enabled=False).new_page()
    page.goto(f"{site}/docs")
    expect(page.get_by_role("heading", name="GET /api/v1/jobs", exact=True)).to_be_visible()
    expect(page.get_by_text("Try it", exact=True).locator("visible=true")).to_have_count(1)
