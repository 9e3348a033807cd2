"""Coming in by invitation, by a login provider and by a link for a new password, in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from core.base.config import Settings
from core.base.database import Database
from tests.browser.test_accessibility import AXE, RUN
from tests.support.browser.chromium import OpenContext
from tests.support.openid_provider import OpenIdProvider, openid_provider, with_provider
from tests.support.people import add_person, hash_cheaply

DATABASES = ("sqlite",)  # pages do not differ between databases

NEW = "seven paper lanterns drift"


@pytest.fixture
def provider() -> Iterator[OpenIdProvider]:
    with openid_provider() as running:
        yield running


@pytest.fixture
def settings(settings: Settings, provider: OpenIdProvider) -> Settings:
    return with_provider(settings, provider)


def expect_accessible(page: Page) -> None:
    """axe-core finds nothing on this page, which only this way leads to."""
    page.evaluate(AXE)
    assert page.evaluate(RUN, []) == []


def test_an_invited_person_joins_by_the_provider_logs_out_there_and_comes_again(
    owner_page: Page, open_context: OpenContext, site: str
) -> None:
    owner_page.get_by_role("link", name="People").click()
    owner_page.get_by_label("Name or email address").fill("eve@example.org")
    owner_page.get_by_label("Role", exact=True).select_option("viewer")
    owner_page.get_by_role("button", name="Create link").click()
    link = owner_page.get_by_label("Link").input_value()
    expect_accessible(owner_page)

    guest = open_context().new_page()
    guest.goto(link)
    guest.get_by_role("link", name="Join with Test provider").click()
    guest.get_by_role("button", name="Continue as ada").click()
    expect(guest.get_by_role("heading", name="Join Pawsort")).to_be_visible()
    expect_accessible(guest)
    guest.get_by_label("Your name").fill("Eve")
    guest.get_by_role("button", name="Join").click()
    expect(guest.get_by_role("link", name="Account")).to_be_visible()
    expect(guest.get_by_role("link", name="People")).to_have_count(0)

    guest.get_by_role("button", name="Log out").click()
    guest.get_by_role("link", name="Log out of Test provider too").click()
    guest.wait_for_url(f"{site}/login")
    guest.get_by_role("link", name="Log in with Test provider").click()
    guest.get_by_role("button", name="Continue as ada").click()
    guest.get_by_role("link", name="Account").click()
    expect(guest.get_by_role("heading", name="Eve")).to_be_visible()


def test_a_lost_password_is_replaced_and_the_provider_connected(
    owner_page: Page, open_context: OpenContext, site: str, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    hash_cheaply(monkeypatch)
    add_person(db, "eve")
    owner_page.goto(f"{site}/people")
    owner_page.get_by_role("button", name="New password link", description="eve").click()
    link = owner_page.get_by_label("Link").input_value()

    guest = open_context().new_page()
    guest.goto(link)
    field = guest.get_by_label("New password", exact=True)
    field.fill(NEW)
    guest.get_by_role("button", name="Show new password").click()
    expect(field).to_have_attribute("type", "text")
    guest.get_by_role("button", name="Set password").click()
    expect(guest.get_by_text("All other devices are logged out")).to_be_visible()

    guest.get_by_role("link", name="Connect").click()
    guest.get_by_role("button", name="Continue as ada").click()
    expect(guest.get_by_role("heading", name="Connect Test provider?")).to_be_visible()
    expect_accessible(guest)
    guest.get_by_role("button", name="Connect").click()
    expect(guest.get_by_text("Test provider: connected")).to_be_visible()
