"""Finding and starting a real Chromium, and dropping real folders on its pages."""

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FIRST_LOOK_MS = 120_000  # 20,000 files on a busy machine
TAKEN_S = 15.0
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


def find_chromium(playwright: Playwright) -> str:
    """The browser to test with: PAWSORT_CHROMIUM, the system's, or Playwright's own.

    Raises:
        RuntimeError: There is none.
    """
    candidates = [
        os.environ.get("PAWSORT_CHROMIUM"),
        *map(shutil.which, NAMES),
        str(MAC),
        playwright.chromium.executable_path,
    ]
    for candidate in candidates:
        if candidate and Path(candidate).exists():
            return candidate
    raise RuntimeError("No Chromium was found. Install chromium or google-chrome, or name one in PAWSORT_CHROMIUM.")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium with a profile of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(playwright), args=list(FLAGS))
        yield browser
        browser.close()


def drop(page: Page, paths: Sequence[Path], x: int = 300, y: int = 220) -> None:
    """Drop files and folders of the disk on a page, as a hand would: let go when the page shows that it takes them.

    Chromium gives nothing to a page before its first frame, which comes late on a loaded machine.
    """
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}

    def send_event(kind: str) -> None:
        session.send("Input.dispatchDragEvent", {"type": kind, "x": x, "y": y, "data": data})

    give_up_at = time.monotonic() + TAKEN_S
    while not page.evaluate("document.body.classList.contains('is-dragging')"):
        assert time.monotonic() < give_up_at, "the page does not take what is held over it"
        send_event("dragEnter")
        send_event("dragOver")
    send_event("drop")
    session.detach()


def send(page: Page, paths: Sequence[Path]) -> None:
    """Drop files and folders, and press the button that starts."""
    drop(page, paths)
    start_sending(page)


def start_sending(page: Page) -> None:
    """Press the button below what will be sent, as soon as the page has looked through it."""
    button = page.locator('[data-offer] [data-part="start"]').first
    expect(button).to_be_enabled(timeout=FIRST_LOOK_MS)
    button.click()
