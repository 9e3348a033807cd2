"""A browser for the whole run, and pages that report everything that should not happen on one."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response, expect

from core.base.config import Settings
from core.base.database import Database
from core.operations.instance_record import InstanceRecord
from instance.supervisor.attach import started_instance
from tests.support.browser.api import Api
from tests.support.browser.chromium import OpenContext, chromium
from tests.support.browser.login import log_in, log_in_as
from tests.support.browser.site import own_address, served
from tests.support.deadlines import within_ms
from web.app import App, create_app

# Refusals and lost connections are what some tests are about, and Chromium notes each of them. What belongs to a page
# is watched by its answers.
EXPECTED_NOISE = "Failed to load resource:"
PARTS_OF_A_PAGE = ("script", "stylesheet", "image", "font")
BUSY = 503  # of a thumbnail, for which the page asks again

# For everything that is waited for on a page; tests of speed measure for themselves.
PATIENCE_MS = 30_000


@dataclass
class Watched:
    """What went wrong on the pages of a context: messages of the console, errors of scripts, requests elsewhere."""

    complaints: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Listen to one page."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        page.on("request", self._request)
        page.on("response", self._response)
        page.on("requestfailed", lambda request: print(f"{request.url}: {request.failure}"))  # shown if the test fails

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(EXPECTED_NOISE):
            self.complaints.append(f"console: {message.text}")

    def _response(self, response: Response) -> None:
        is_wrong = response.status >= 400 and response.status != BUSY
        if is_wrong and response.request.resource_type in PARTS_OF_A_PAGE:
            self.complaints.append(f"part of a page: {response.status} {response.url}")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.hostname not in ("127.0.0.1", own_address()):
            self.complaints.append(f"foreign request: {request.url}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests."""
    with chromium() as started:
        yield started


@pytest.fixture
def open_context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[OpenContext]:
    """Fresh profiles, gone before the site is. At their end, anything a page complained of fails the test."""
    if "site" in request.fixturenames:
        request.getfixturevalue("site")
    expect.set_options(timeout=within_ms(PATIENCE_MS))
    watched = Watched()
    with ExitStack() as opened:

        def open_one(**options: Any) -> BrowserContext:
            made = browser.new_context(**options)
            opened.callback(made.close)
            made.set_default_timeout(within_ms(PATIENCE_MS))
            made.on("page", watched.watch)
            return made

        yield open_one
    assert watched.complaints == []


@pytest.fixture
def context(open_context: OpenContext) -> BrowserContext:
    """A fresh profile of a desk's size."""
    return open_context(viewport={"width": 1280, "height": 900})


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A page of nobody's."""
    return context.new_page()


@pytest.fixture
def site(app: App) -> Iterator[str]:
    """The address of the application, without workers."""
    with served(app) as address:
        yield address


@pytest.fixture
def owner_page(page: Page, site: str, db: Database) -> Page:
    """A page of the owner, who has logged in."""
    log_in_as(page, site, db)
    return page


@pytest.fixture
def plain_page(open_context: OpenContext, site: str, db: Database) -> Page:
    """A logged-in page of a browser without JavaScript."""
    page = open_context(java_script_enabled=False).new_page()
    log_in_as(page, site, db)
    return page


@pytest.fixture
def plain_http_page(page: Page, settings: Settings, app: App, db: Database) -> Iterator[Page]:
    """A page of the owner that came by plain http from another address: browsers keep things from it."""
    host = own_address()
    if host is None:
        pytest.skip("this machine has no address but its loopback")
    others = create_app(settings.model_copy(update={"host": host}))
    with served(others, host) as address:
        log_in_as(page, address, db)
        assert page.evaluate("() => [isSecureContext, typeof crypto.subtle, typeof crypto.randomUUID]") == [
            False,
            "undefined",
            "undefined",
        ]
        yield page
        page.close()
    others.extensions["pawsort"].thumbnails.close()
    others.extensions["pawsort"].db.close()


@pytest.fixture(scope="session")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InstanceRecord]:
    """A whole Pawsort as `pawsort up` starts it: gunicorn, Valkey, workers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAWSORT_DEFAULT_NETWORK", "seed-cnn")  # pages do not depend on what the network is worth
        with started_instance(tmp_path_factory.mktemp("instance")) as record:
            yield record


@pytest.fixture
def api(instance: InstanceRecord) -> Iterator[Api]:
    """A program that asks this instance."""
    asking = Api(instance)
    with asking.http:
        yield asking


@pytest.fixture
def user_page(page: Page, instance: InstanceRecord) -> Page:
    """The first page of this instance, with its owner logged in."""
    log_in(page, instance.address, instance.token)
    return page
