"""A job page while its job is running: it follows, slows down, rests when nobody looks, and stops at the end."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import update

from core.base.config import Settings
from core.base.database import Database
from core.base.errors import ErrorCode
from core.cleanup import deletion
from core.jobs import job_states
from core.messaging.broker import INFERENCE
from core.operations import workers
from core.orm.jobs import Job
from core.orm.operations import Worker
from core.storage.blobs import Blobs
from tests.support.actors import as_owner
from tests.support.browser.chromium import intercept, show_pictures
from tests.support.browser.page_clock import n_asked, take_time, turn, wait_until_answered
from tests.support.factories import make_job, make_upload, run_job

DATABASES = ("sqlite",)  # pages do not differ between databases

HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


# As a browser whose user allows notifications.
NOTIFICATIONS = """
  window.notified = [];
  window.Notification = class extends EventTarget {
    static permission = "default";
    static requestPermission = async () => (window.Notification.permission = "granted");
    constructor(title, { body }) {
      super();
      window.notified.push([title, body]);
    }
  };
"""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Workers are missed after minutes, however long a page takes."""
    return settings.model_copy(update={"heartbeat_s": 60.0})


@pytest.fixture
def job(db: Database, blobs: Blobs, site: str) -> UUID:
    """A job of 8 pictures that waits for a worker."""
    return make_job(db, make_upload(db, blobs, n_files=8, name="birds"))


def _address(job: UUID) -> str:
    return f"/api/v1/jobs/{job}"


def test_the_page_follows_its_job_to_the_end_and_then_stops_asking(
    owner_page: Page, site: str, db: Database, job: UUID
) -> None:
    take_time(owner_page)
    owner_page.goto(f"{site}/jobs/{job}")
    expect(owner_page).to_have_title("0 % · birds – Pawsort")
    expect(owner_page.get_by_text("The first pictures appear here")).to_be_visible()
    run_job(db, job)
    expect(owner_page.locator(".chip")).to_have_text("Done")
    expect(owner_page).to_have_title("birds – Pawsort")
    show_pictures(owner_page)
    expect(owner_page.locator(".tile")).to_have_count(8)
    expect(owner_page.locator('[data-count="cat"]')).to_have_text("8")
    expect(owner_page.get_by_role("button", name="Stop this job")).to_be_hidden()
    expect(owner_page.locator('[data-field="announce"]')).to_have_text("Done. Sorted 8 files, 0 failed.")
    asked = n_asked(owner_page, _address(job))
    turn(owner_page)
    assert n_asked(owner_page, _address(job)) == asked


def test_at_its_end_the_page_offers_what_can_be_done_with_a_job_that_is_done(
    owner_page: Page, site: str, db: Database, job: UUID
) -> None:
    owner_page.goto(f"{site}/jobs/{job}")
    expect(owner_page.get_by_text("you can measure how often the model is right")).to_be_visible()
    expect(owner_page.locator("[data-sure] rect")).to_have_count(0)
    run_job(db, job, {"photos/0.jpg": ErrorCode.TRUNCATED})
    expect(owner_page.get_by_role("button", name="Retry failed files")).to_be_visible()
    expect(owner_page.get_by_role("button", name="Check 100 random pictures")).to_be_visible()
    expect(owner_page.locator("[data-sure] rect")).not_to_have_count(0)


def test_polls_become_rare_while_nothing_moves_and_carry_the_tag(owner_page: Page, site: str, job: UUID) -> None:
    answers: list[int] = []
    owner_page.on("response", lambda answer: answer.url.endswith(_address(job)) and answers.append(answer.status))
    take_time(owner_page, stands_still=True)
    owner_page.goto(f"{site}/jobs/{job}")
    for n, wait_ms in enumerate([1000, 1000, 1500, 2250, 3000, 3000]):
        turn(owner_page, wait_ms - 1)
        assert n_asked(owner_page, _address(job)) == n
        turn(owner_page, 1)
        assert n_asked(owner_page, _address(job)) == n + 1
        wait_until_answered(owner_page, _address(job), n + 1)
    assert answers == [200, 304, 304, 304, 304, 304]


def test_a_hidden_page_asks_rarely_and_shows_the_end_in_its_title_and_a_notification(
    owner_page: Page, site: str, db: Database, job: UUID
) -> None:
    take_time(owner_page, stands_still=True)
    owner_page.add_init_script(NOTIFICATIONS)
    owner_page.goto(f"{site}/jobs/{job}")
    turn(owner_page, 1000)
    wait_until_answered(owner_page, _address(job), 1)
    owner_page.get_by_role("button", name="Notify me when it’s done").click()
    expect(owner_page.get_by_role("button", name="Notify me when it’s done")).to_be_hidden()
    owner_page.evaluate(HIDE, True)
    asked = n_asked(owner_page, _address(job))
    run_job(db, job)
    turn(owner_page, 10_000)
    assert n_asked(owner_page, _address(job)) == asked
    turn(owner_page, 5_000)
    expect(owner_page).to_have_title("✓ birds – Pawsort")
    assert owner_page.evaluate("notified") == [["birds – Pawsort", "Done. Sorted 8 files, 0 failed."]]
    owner_page.evaluate(HIDE, False)
    expect(owner_page).to_have_title("birds – Pawsort")
    expect(owner_page.locator(".chip").first).to_have_text("Done")


def test_workers_that_are_gone_are_mentioned_and_nothing_is_estimated(
    owner_page: Page, site: str, db: Database, blobs: Blobs, settings: Settings
) -> None:
    job = make_job(db, make_upload(db, blobs, n_files=8, is_complete=False, name="birds"))
    run_job(db, job)
    with db.write() as session:
        worker = workers.add_worker(session, 1, INFERENCE, "cpu", {})
        session.execute(update(Job).values(state="running", n_total=1000))
    owner_page.goto(f"{site}/jobs/{job}")
    side = owner_page.locator('[data-field="progress-side"]')
    expect(side).to_contain_text("left")
    with db.write() as session:
        silent = timedelta(seconds=settings.responding_s + 1)
        session.execute(update(Worker).where(Worker.id == worker).values(beat_at=datetime.now(UTC) - silent))
    expect(owner_page.get_by_text("No worker is running. Sorting continues by itself")).to_be_visible()
    expect(side).to_have_text("No worker is running")
    intercept(owner_page, f"**{_address(job)}", lambda route: route.abort("connectionrefused"))
    expect(owner_page.get_by_text("The server is not responding.")).to_be_visible()
    expect(side).to_be_empty()


def test_a_server_that_is_away_is_mentioned_and_waited_for(
    owner_page: Page, site: str, db: Database, job: UUID
) -> None:
    owner_page.goto(f"{site}/jobs/{job}")
    intercept(owner_page, f"**{_address(job)}", lambda route: route.abort("connectionrefused"))
    notice = owner_page.get_by_text("The server is not responding.")
    expect(notice).to_be_visible()
    owner_page.unroute(f"**{_address(job)}")
    run_job(db, job)
    expect(owner_page.locator(".chip")).to_have_text("Done")
    expect(notice).to_be_hidden()


def test_a_job_deleted_elsewhere_turns_into_the_page_that_says_so(
    owner_page: Page, site: str, db: Database, job: UUID
) -> None:
    owner_page.goto(f"{site}/jobs/{job}")
    with db.write() as session:
        deletion.delete_job(session, as_owner(session), job)
    expect(owner_page.get_by_role("heading", name="This has been deleted")).to_be_visible()


def test_rows_of_the_list_follow_their_jobs(owner_page: Page, site: str, db: Database, job: UUID) -> None:
    owner_page.goto(site)
    row = owner_page.locator(f'[data-job="{job}"]')
    expect(row).to_contain_text("No worker is running")
    run_job(db, job)
    expect(row.locator(".chip")).to_have_text("Done")
    expect(row.locator('[data-count="cat"]')).to_have_text("8")
    expect(row.locator("progress")).to_be_hidden()


def test_new_results_are_offered_not_forced_on_somebody_who_has_scrolled(
    owner_page: Page, site: str, db: Database, blobs: Blobs
) -> None:
    upload = make_upload(db, blobs, n_files=150, is_complete=False)
    growing = make_job(db, upload)
    run_job(db, growing)
    owner_page.goto(f"{site}/jobs/{growing}")
    show_pictures(owner_page)
    owner_page.mouse.wheel(0, 20_000)
    expect(owner_page.locator('.tile[aria-posinset="150"]')).to_be_visible()
    with db.write() as session:
        job_states.cancel_job(session, as_owner(session), growing)
    expect(owner_page.get_by_role("button", name="Show them")).to_be_visible()
