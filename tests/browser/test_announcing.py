"""What screen readers read out of their own accord: the outcome of what somebody did, not each step on the way."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from core.base.database import Database
from core.storage.blobs import Blobs
from tests.support.browser.chromium import drop, show_pictures
from tests.support.browser.folder_trees import make_tree
from tests.support.factories import make_job, make_upload, run_job

DATABASES = ("sqlite",)  # pages do not differ between databases

# What becomes text of a live region, but for what is hidden from those who listen.
LISTEN = """() => {
  window.heard = [];
  new MutationObserver((changes) => {
    for (const { target } of changes) {
      const element = target.nodeType === 1 ? target : target.parentElement;
      const region = element?.closest("[role=status], [role=alert], [aria-live], output");
      if (!region || region.ariaLive === "off" || element.closest("[aria-hidden=true]")) continue;
      const copy = region.cloneNode(true);
      copy.querySelectorAll("[aria-hidden=true]").forEach((part) => part.remove());
      const words = copy.textContent.trim();
      if (words && window.heard.at(-1) !== words) window.heard.push(words);
    }
  }).observe(document, { subtree: true, childList: true, characterData: true });
}"""


@pytest.fixture
def listener(owner_page: Page) -> Page:
    """A page on which `heard` collects what is read out, also after the next address."""
    owner_page.add_init_script(f"({LISTEN})()")
    owner_page.reload()
    return owner_page


def test_a_threshold_moved_by_keys_is_read_out_once_with_what_comes_of_it(
    listener: Page, site: str, db: Database, blobs: Blobs
) -> None:
    job = make_job(db, make_upload(db, blobs, n_files=4), threshold=0.5)
    run_job(db, job, {"photos/0.jpg": (0.51, 0.1), "photos/1.jpg": (0.1, 0.9), "photos/2.jpg": (0.1, 0.2)})
    listener.goto(f"{site}/jobs/{job}")
    show_pictures(listener)
    before = len(listener.evaluate("heard"))
    listener.get_by_label("Threshold, in percent").focus()
    for _ in range(20):
        listener.keyboard.press("ArrowRight")
    expect(listener.locator("[data-said]")).to_have_text(
        "The threshold is now 52.0 percent: 1 cat, 1 dog, 2 unsure, 1 of them probably neither."
    )
    assert len(listener.evaluate("heard")) == before + 1


def test_looking_through_a_folder_is_said_once_however_many_files_it_has(listener: Page, tmp_path: Path) -> None:
    make_tree(tmp_path / "photos", 700, depth=3)
    drop(listener, [tmp_path / "photos"])
    expect(listener.get_by_role("button", name="Start upload")).to_be_focused()
    assert [words for words in listener.evaluate("heard") if "Reading" in words] == ["Reading the folder …"]
