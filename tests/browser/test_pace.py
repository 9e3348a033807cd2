"""As fast as people label by keys, and without a connection for a minute: every label arrives, and arrives once."""

import time
from collections import Counter
from uuid import UUID

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import func, select

from core.base.database import Database
from core.orm.labels import Label
from core.storage.blobs import Blobs
from tests.support.browser.chromium import OpenContext
from tests.support.browser.login import log_in_as
from tests.support.deadlines import within, within_ms
from tests.support.factories import draw_picture, make_job, make_upload, read_results, run_job

pytestmark = pytest.mark.slow
DATABASES = ("sqlite",)  # pages do not differ between databases

N = 60
OFFLINE_S = 60
PAUSE_MS = 1000 * OFFLINE_S / N
VIEWER = "[data-viewer]"


@pytest.fixture
def job(db: Database, blobs: Blobs, site: str) -> UUID:
    """Sixty pictures, all called cats."""
    job = make_job(db, make_upload(db, blobs, n_files=N, name="pets"))
    run_job(db, job)
    return job


def open_viewer(page: Page, site: str, job: UUID) -> None:
    page.goto(f"{site}/jobs/{job}")
    page.locator('[data-place="0"]').click()
    wait_for_picture(page)


def wait_for_picture(page: Page) -> None:
    expect(page.locator(f"{VIEWER} .zoom__frame img")).to_have_js_property("complete", True)


def wait_until_sent(page: Page, where: str) -> None:
    page.locator(f'{where}[data-unsent="0"]').wait_for(state="attached", timeout=within_ms(90_000))


def test_sixty_pictures_are_labelled_in_the_large_view_within_a_minute(
    owner_page: Page, site: str, db: Database, job: UUID
) -> None:
    open_viewer(owner_page, site, job)
    began_at = time.monotonic()
    for n in range(N):
        wait_for_picture(owner_page)
        owner_page.keyboard.press("cdn"[n % 3])
    wait_until_sent(owner_page, VIEWER)
    assert time.monotonic() - began_at < within(60)
    assert Counter(row.human_label for row in read_results(db, job)) == {"cat": 20, "dog": 20, "neither": 20}


def test_labels_that_two_people_give_offline_for_a_minute_all_arrive_each_once(
    open_context: OpenContext, site: str, db: Database, blobs: Blobs, job: UUID
) -> None:
    other = make_job(db, make_upload(db, blobs, {f"more/{n}.jpg": draw_picture(N + n) for n in range(N)}, name="more"))
    run_job(db, other)
    contexts = [_log_in(open_context(), site, db, name) for name in ("Ada", "Bob")]
    viewer, review = (context.new_page() for context in contexts)
    open_viewer(viewer, site, job)
    review.goto(f"{site}/jobs/{other}/review")
    review.locator("[data-review][data-ready]").wait_for()
    for context in contexts:
        context.set_offline(True)
    for n in range(N):
        viewer.keyboard.press("d" if n % 2 else "c")
        # Only some pictures are handed out in advance: each is labelled, undone, and labelled again.
        review.keyboard.press("u" if n % 2 else "n")
        viewer.wait_for_timeout(PAUSE_MS)
    with db.read() as session:
        assert session.scalar(select(func.count()).select_from(Label)) == 0
    for context in contexts:
        context.set_offline(False)
    wait_until_sent(viewer, VIEWER)
    wait_until_sent(review, "[data-review]")
    assert Counter(row.human_label for row in read_results(db, job)) == {"cat": N / 2, "dog": N / 2}
    assert Counter(row.human_label for row in read_results(db, other)) == {None: N}
    with db.read() as session:
        assert session.scalar(select(func.count()).select_from(Label)) == 2 * N
        assert session.scalar(select(func.count(Label.key.distinct()))) == 2 * N


def _log_in(context: BrowserContext, site: str, db: Database, name: str) -> BrowserContext:
    page = context.new_page()
    log_in_as(page, site, db, name)
    page.close()
    return context
