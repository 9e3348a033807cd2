"""Making and running a schedule, with the keyboard and without JavaScript."""

from playwright.sync_api import Page, expect

from core.base.database import Database
from tests.support.browser.chromium import OpenContext
from tests.support.browser.login import log_in_as

DATABASES = ("sqlite",)


def fill_in(page: Page) -> None:
    page.get_by_role("link", name="Schedules").click()
    page.get_by_role("link", name="New schedule").click()
    page.get_by_role("link", name="Clean up").click()
    page.get_by_label("Name", exact=True).fill("Tidy up")
    page.get_by_label("Day of the week").select_option("Sunday")
    page.get_by_label("Time", exact=True).fill("03:00")
    page.get_by_label("Time zone").fill("Europe/Berlin")
    page.get_by_label("Jobs that ended more than this many days ago").fill("30")


def test_a_schedule_is_made_paused_and_run_without_javascript(plain_page: Page) -> None:
    fill_in(plain_page)
    plain_page.get_by_role("button", name="Check and preview").click()
    expect(plain_page.get_by_text("Every Sunday at 03:00")).to_be_visible()
    plain_page.get_by_role("button", name="Create schedule").click()
    expect(plain_page.get_by_role("heading", name="Tidy up")).to_be_visible()
    plain_page.get_by_role("button", name="Pause").click()
    expect(plain_page.get_by_text("Paused")).to_be_visible()
    plain_page.get_by_role("button", name="Run now").click()
    expect(plain_page.get_by_role("heading", name="Run 1 of Tidy up")).to_be_visible()


def test_a_wrong_line_is_said_beside_its_field_and_what_was_typed_stays(owner_page: Page) -> None:
    fill_in(owner_page)
    line = owner_page.get_by_label("Cron line")
    line.fill("0 0 30 2 *")
    expect(owner_page.get_by_label("Other times")).to_be_checked()
    expect(owner_page.get_by_label("Time", exact=True)).to_be_hidden()
    line.press("Enter")
    expect(owner_page.get_by_text("matches no date")).to_be_visible()
    expect(owner_page.get_by_label("Name", exact=True)).to_have_value("Tidy up")
    expect(owner_page.get_by_label("Cron line")).to_have_attribute("aria-invalid", "true")


def test_a_new_schedule_begins_with_the_zone_of_whoever_makes_it(
    open_context: OpenContext, site: str, db: Database
) -> None:
    page = open_context(timezone_id="America/New_York").new_page()
    log_in_as(page, site, db)
    page.goto(f"{site}/schedules/new")
    expect(page.get_by_label("Time zone")).to_have_value("America/New_York")
