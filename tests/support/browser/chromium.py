"""Finding and starting a real Chromium, and dropping real folders on its pages."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Route, expect, sync_playwright

from tests.support.deadlines import within, within_ms

# First those without windows: a window costs a processor second for each profile, and every test has a profile.
SHELLS = ("chromium-headless-shell", "chrome-headless-shell")
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
STEP_MS = 50
WATCHED = "/is-watched"
IS_WATCHED = f"async () => (await fetch('{WATCHED}')).status === 204"


class OpenContext(Protocol):
    """Opens a profile; takes what Playwright's `new_context` takes."""

    def __call__(self, **options: Any) -> BrowserContext: ...


def find_chromium(playwright: Playwright) -> str:
    """The browser to test with: PAWSORT_CHROMIUM, one without windows, the system's, or Playwright's own.

    Raises:
        RuntimeError: There is none.
    """
    own = Path(playwright.chromium.executable_path)
    candidates = [
        os.environ.get("PAWSORT_CHROMIUM"),
        *map(shutil.which, SHELLS),
        *_own_shells(own),
        *map(shutil.which, NAMES),
        MAC,
        own,
    ]
    for candidate in candidates:
        if candidate and Path(candidate).exists():
            return str(candidate)
    raise RuntimeError("No Chromium was found. Install chromium or google-chrome, or name one in PAWSORT_CHROMIUM.")


def _own_shells(own: Path) -> list[Path]:
    """Playwright's browser without windows, which lies beside the one with windows, under the same number."""
    folder = next((one for one in own.parents if one.name.startswith("chromium-")), own)
    beside = folder.with_name(folder.name.replace("chromium-", "chromium_headless_shell-"))
    return [found for found in beside.glob("*/*headless*shell*") if os.access(found, os.X_OK)]


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium with a profile of its own. What it leaves behind at times is removed with its folder."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(playwright), args=list(FLAGS), env={**os.environ, "TMPDIR": folder}
        )
        yield browser
        browser.close()


def intercept(page: Page, address: str, handle: Callable[[Route], object], times: int | None = None) -> None:
    """Answer requests of a page in place of the server, from the next request on.

    Chromium tells a page that has been loaded already some time later than it says: until then requests slip through.
    """
    page.route(address, handle, times=times)
    page.route(f"**{WATCHED}", lambda route: route.fulfill(status=204))
    while not page.evaluate(IS_WATCHED):
        pass


def wait_for(page: Page, is_so: Callable[[], object], what: str) -> None:
    """Wait for something that is seen elsewhere than on the page, while the page goes on."""
    give_up_at = time.monotonic() + within(30)
    while not is_so():
        assert time.monotonic() < give_up_at, f"waited in vain for {what}"
        page.wait_for_timeout(STEP_MS)


def show_pictures(page: Page) -> None:
    """Scroll to a job's pictures: those far below the window are not drawn."""
    page.locator("[data-grid]").evaluate("(list) => list.scrollIntoView()")
    page.locator(".grid--placed .tile").first.wait_for()


def drop(page: Page, paths: Sequence[Path], x: int = 300, y: int = 220) -> None:
    """Drop files and folders of the disk on a page, as a hand would: let go when the page shows that it takes them.

    Chromium gives nothing to a page before its first frame, which comes late on a loaded machine.
    """
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}

    def send_event(kind: str) -> None:
        session.send("Input.dispatchDragEvent", {"type": kind, "x": x, "y": y, "data": data})

    give_up_at = time.monotonic() + within(30)
    while not page.evaluate("document.body.classList.contains('is-dragging')"):
        assert time.monotonic() < give_up_at, "the page does not take what is held over it"
        send_event("dragEnter")
        send_event("dragOver")
        time.sleep(0.01)
    send_event("drop")
    session.detach()


def send(page: Page, paths: Sequence[Path]) -> None:
    """Drop files and folders, and press the button that starts."""
    drop(page, paths)
    start_sending(page)


def start_sending(page: Page) -> None:
    """Press the button below what will be sent, as soon as the page has looked through it."""
    button = page.locator('[data-offer] [data-part="start"]').first
    expect(button).to_be_enabled(timeout=within_ms(120_000))  # 20,000 files
    button.click()
