"""What people see: jobs, a job, its pictures, what failed; with and without JavaScript."""

import zipfile
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from core.base.database import Database
from core.base.errors import ErrorCode
from core.ingest import shard_rows
from core.orm.jobs import Job
from core.orm.results import Result
from core.storage.blobs import Blobs
from core.uploads import uploads
from tests.support.actors import as_owner
from tests.support.browser.chromium import OpenContext, show_pictures
from tests.support.browser.login import log_in_as
from tests.support.factories import draw_picture, make_job, make_upload, make_version, read_results, run_job

DATABASES = ("sqlite",)  # pages do not differ between databases

# Every row that the window shows is there, without a gap.
IS_FILLED = """() => {
  const list = document.querySelector("[data-grid]").getBoundingClientRect();
  const boxes = [...document.querySelectorAll(".grid--placed .tile")].map((tile) => tile.getBoundingClientRect());
  const points = [0, 0.5, 1].map((share) => share * innerHeight).filter((y) => y > list.top && y < list.bottom);
  const isShown = (y) => boxes.some(({ top, bottom }) => top - 12 <= y && y <= bottom + 12);
  return points.every(isShown);
}"""
HOSTILE = "<img src=x onerror=alert(1)>.jpg"
FILES = {
    "zoo/tiger.jpg": (0.95, 0.03),
    "zoo/wolf.jpg": (0.02, 0.97),
    "zoo/fox.jpg": (0.41, 0.45),
    f"zoo/{HOSTILE}": (0.85, 0.1),
    "zoo/broken.jpg": ErrorCode.TRUNCATED,
}


@pytest.fixture
def zoo(db: Database, blobs: Blobs, site: str) -> UUID:
    """A job that has ended: two cats, a dog, one unsure, one broken."""
    upload = make_upload(db, blobs, {path: draw_picture(n) for n, path in enumerate(FILES)}, name="zoo")
    job = make_job(db, upload)
    run_job(db, job, FILES)
    return job


def _labels(page: Page) -> list[str]:
    return page.locator(".tile__label > :first-child").all_text_contents()


def test_the_empty_first_page_says_what_to_do(owner_page: Page) -> None:
    expect(owner_page.get_by_role("heading", name="Drop a folder of pictures here")).to_be_visible()
    expect(owner_page.get_by_role("button", name="Choose a folder")).to_be_visible()
    expect(owner_page.get_by_role("heading", name="Nothing sorted yet")).to_be_visible()


def test_jobs_are_listed_newest_first_with_their_counts(
    owner_page: Page, site: str, db: Database, blobs: Blobs
) -> None:
    for n in range(32):
        make_job(db, make_upload(db, blobs, n_files=1, name=f"job {n}"))
    owner_page.goto(site)
    expect(owner_page.locator(".job__name")).to_have_text([f"job {n}" for n in range(31, 1, -1)])
    owner_page.get_by_role("link", name="Older jobs").click()
    expect(owner_page.locator(".job__name")).to_have_text(["job 1", "job 0"])
    owner_page.get_by_role("link", name="Newest jobs").click()
    expect(owner_page.locator(".job__name").first).to_have_text("job 31")


def test_several_jobs_are_selected_tagged_and_deleted(owner_page: Page, site: str, db: Database, blobs: Blobs) -> None:
    for n in range(3):
        make_job(db, make_upload(db, blobs, n_files=1, name=f"job {n}"))
    owner_page.goto(site)
    acts = owner_page.locator("[data-acts]")
    expect(acts).to_be_hidden()
    owner_page.get_by_label("Select job 1").check()
    owner_page.get_by_label("Select job 0").check()
    expect(owner_page.get_by_text("2 selected")).to_be_visible()
    acts.get_by_label("Tag for the selected jobs").fill("Old")
    acts.get_by_role("button", name="Add tag").click()
    owner_page.get_by_role("link", name="old", exact=True).first.click()
    expect(owner_page.locator(".job__name")).to_have_text(["job 1", "job 0"])
    owner_page.get_by_label("Select all").check()
    acts.get_by_role("button", name="Delete …").click()
    expect(owner_page.get_by_role("heading", name="Delete 2 jobs?")).to_be_visible()
    owner_page.get_by_role("button", name="Delete 2 jobs permanently").click()
    expect(owner_page.get_by_text("No jobs match these filters.")).to_be_visible()
    owner_page.get_by_role("link", name="Show all").click()
    expect(owner_page.locator(".job__name")).to_have_text(["job 2"])


def test_jobs_are_found_by_name_and_state_and_the_address_says_it(
    owner_page: Page, site: str, db: Database, blobs: Blobs
) -> None:
    upload = make_upload(db, blobs)
    first, second = make_job(db, upload, name="garden"), make_job(db, upload, name="garden, again")
    make_job(db, upload, name="shelter")
    run_job(db, first)
    owner_page.goto(site)
    owner_page.get_by_label("Search", exact=True).fill("GARDEN")
    owner_page.keyboard.press("Enter")
    expect(owner_page.locator(".job__name")).to_have_text(["garden, again", "garden"])
    owner_page.wait_for_load_state("load")
    owner_page.get_by_label("State").select_option("Done")
    owner_page.wait_for_url(f"{site}/?search=GARDEN&state=done")
    expect(owner_page.locator(".job__name")).to_have_text(["garden"])
    owner_page.get_by_role("link", name="Show all").click()
    row = owner_page.locator(f'[data-job="{second}"]')
    row.get_by_role("button", name="Stop").click()
    expect(row.locator(".chip")).to_have_text("Stopped")
    row.get_by_role("button", name="Retry").click()
    expect(row.locator(".chip")).to_have_text("Sorting")
    row.get_by_role("link", name="Delete").click()
    owner_page.get_by_role("button", name="Delete permanently").click()  # the browser asks for the word
    expect(owner_page.get_by_label("Type the word")).to_be_focused()
    owner_page.keyboard.type("delete")
    owner_page.keyboard.press("Enter")
    expect(owner_page.locator(".job__name")).to_have_text(["shelter", "garden"])


def test_a_job_shows_its_counts_and_its_pictures(owner_page: Page, site: str, zoo: UUID) -> None:
    owner_page.goto(site)
    owner_page.get_by_role("link", name="zoo").click()
    expect(owner_page.get_by_role("heading", name="zoo", exact=True)).to_be_visible()
    counts = {
        name: owner_page.locator(f'[data-count="{name}"]') for name in ("sorted", "cat", "dog", "unsure", "failed")
    }
    assert {name: locator.text_content() for name, locator in counts.items()} == {
        "sorted": "5",
        "cat": "2",
        "dog": "1",
        "unsure": "1",
        "failed": "1",
    }
    show_pictures(owner_page)
    assert _labels(owner_page) == ["Cat", "Dog", "Unsure", "Cat", "Failed"]
    expect(owner_page.locator(".tile").first).to_contain_text("95 %")
    expect(owner_page.locator(".tile img")).to_have_count(4)
    owner_page.wait_for_function(
        "() => [...document.querySelectorAll('.tile img')].every((img) => img.naturalWidth > 0)"
    )


def test_a_file_name_that_is_html_stays_a_file_name(owner_page: Page, site: str, zoo: UUID) -> None:
    owner_page.goto(f"{site}/jobs/{zoo}?label=cat")
    show_pictures(owner_page)
    expect(owner_page.locator(".tile__name").nth(1)).to_have_text(HOSTILE)
    made = owner_page.evaluate(
        """async (path) => {
          const { makeTile } = await import("/static/jobs/grid/tile.js");
          const result = { image_id: 1, path, label: "cat", confidence: 0.9, error_code: null, error: null };
          return makeTile(result, document.querySelector("#tile")).querySelector(".tile__name").innerHTML;
        }""",
        HOSTILE,
    )
    assert made == "<bdi>&lt;img src=x onerror=alert(1)&gt;.jpg</bdi>"


def test_filters_stand_in_the_address(owner_page: Page, site: str, zoo: UUID) -> None:
    owner_page.goto(f"{site}/jobs/{zoo}")
    owner_page.get_by_role("link", name="2 Cat").click()
    show_pictures(owner_page)
    assert _labels(owner_page) == ["Cat", "Cat"]
    owner_page.get_by_label("Confidence at least").select_option("90 %")
    owner_page.wait_for_url(f"**/jobs/{zoo}?label=cat&min_confidence=0.9")
    show_pictures(owner_page)
    expect(owner_page.locator(".tile__name")).to_have_text(["tiger.jpg"])
    owner_page.get_by_label("File or folder name contains").fill("nothing like it")
    owner_page.keyboard.press("Enter")
    expect(owner_page.get_by_text("No pictures match these filters.")).to_be_visible()
    owner_page.get_by_role("link", name="Show all").first.click()
    show_pictures(owner_page)
    expect(owner_page.locator(".tile")).to_have_count(5)


def test_the_least_sure_can_come_first(owner_page: Page, site: str, zoo: UUID) -> None:
    owner_page.goto(f"{site}/jobs/{zoo}?sort=confidence")
    show_pictures(owner_page)
    expect(owner_page.locator(".tile__name")).to_have_text(["fox.jpg", HOSTILE, "tiger.jpg", "wolf.jpg"])
    expect(owner_page.get_by_label("Order")).to_have_value("confidence")


def test_an_address_with_nonsense_in_it_says_what_it_expected(owner_page: Page, site: str, zoo: UUID) -> None:
    owner_page.goto(f"{site}/jobs/{zoo}?label=horse")
    expect(owner_page.get_by_text("label: expected one of cat, dog, unsure; got 'horse'.")).to_be_visible()


def test_failed_files_have_a_page_with_what_to_do(owner_page: Page, site: str, zoo: UUID) -> None:
    owner_page.goto(f"{site}/jobs/{zoo}")
    owner_page.get_by_role("link", name="1 Failed").click()
    row = owner_page.locator(".failures tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("zoo/broken.jpg")
    expect(row).to_contain_text(ErrorCode.TRUNCATED.sentence)


def test_more_pictures_come_while_scrolling(owner_page: Page, site: str, db: Database, blobs: Blobs) -> None:
    job = make_job(db, make_upload(db, blobs, n_files=200))
    run_job(db, job)
    owner_page.goto(f"{site}/jobs/{job}")
    show_pictures(owner_page)
    seen: set[str] = set()
    for top in range(0, 12_000, 600):
        owner_page.evaluate("(top) => scrollTo(0, top)", top)
        owner_page.wait_for_function(IS_FILLED)
        names = owner_page.locator(".tile__name").all_text_contents()
        assert len(names) < 100
        seen.update(names)
    assert len(seen) == 200
    expect(owner_page.get_by_role("link", name="More pictures")).to_be_hidden()


def test_the_table_can_be_downloaded(owner_page: Page, site: str, zoo: UUID) -> None:
    owner_page.goto(f"{site}/jobs/{zoo}")
    with owner_page.expect_download() as download:
        owner_page.get_by_role("link", name="Table (CSV)").click()
    lines = download.value.path().read_text(encoding="utf-8").splitlines()
    assert lines[1].startswith("zoo/tiger.jpg,cat,0.950000,")
    assert len(lines) == 1 + len(FILES)


def test_the_keyboard_reaches_everything_on_a_job_page(owner_page: Page, site: str, zoo: UUID) -> None:
    owner_page.goto(f"{site}/jobs/{zoo}")
    reached = []
    for _ in range(60):
        owner_page.keyboard.press("Tab")
        reached.append(owner_page.evaluate("() => document.activeElement.textContent.trim().slice(0, 30)"))
    assert reached[:3] == ["Skip to content", "Skip to the pictures", "Skip to filter and tools"]
    for name in ("Table (CSV)", "Retry failed files", "Delete …"):
        assert name in reached


def test_without_javascript_everything_can_be_read(plain_page: Page, site: str, db: Database, blobs: Blobs) -> None:
    job = make_job(db, make_upload(db, blobs, n_files=100, name="plain"))
    run_job(db, job, {"photos/5.jpg": ErrorCode.EMPTY_FILE})
    plain_page.goto(site)
    plain_page.get_by_role("link", name="plain").click()
    expect(plain_page.locator(".tile")).to_have_count(60)
    with plain_page.expect_navigation():  # behind sixty small pictures, which a busy server makes first
        plain_page.get_by_role("link", name="More pictures").click()
    expect(plain_page.locator(".tile")).to_have_count(40)
    plain_page.get_by_label("File or folder name contains").fill("5.jpg")
    plain_page.get_by_role("button", name="Show").click()
    expect(plain_page.locator(".tile")).to_have_count(10)
    plain_page.get_by_role("link", name="1 Failed").click()
    expect(plain_page.locator(".failures tbody tr")).to_have_count(1)
    with plain_page.expect_download() as download:
        plain_page.get_by_role("link", name="JSON Lines").first.click()
    assert len(download.value.path().read_text(encoding="utf-8").splitlines()) == 100


def test_without_javascript_a_zip_is_sent_and_read(plain_page: Page, site: str, db: Database, tmp_path: Path) -> None:
    archive = tmp_path / "from a camera.zip"
    with zipfile.ZipFile(archive, "w") as writing:
        for n in range(3):
            writing.writestr(f"camera/{n}.jpg", draw_picture(n))
    plain_page.set_input_files('input[name="archive"]', archive)
    plain_page.get_by_role("button", name="Upload").click()
    expect(plain_page.get_by_role("heading", name="from a camera", exact=True)).to_be_visible()
    with db.read() as session:
        job = session.scalars(select(Job.uuid)).one()
    assert plain_page.url == f"{site}/jobs/{job}"
    run_job(db, job)
    plain_page.reload()
    expect(plain_page.locator(".tile")).to_have_count(3)
    with plain_page.expect_download() as download:
        plain_page.get_by_role("link", name="Table (CSV)").click()
    assert "camera/2.jpg,cat," in download.value.path().read_text(encoding="utf-8")


def test_without_javascript_an_upload_is_finished_and_classified_again(
    plain_page: Page, site: str, db: Database, blobs: Blobs
) -> None:
    job = make_job(db, make_upload(db, blobs, name="plain", is_complete=False))
    version = make_version(db, "efficientnet-lite0")
    plain_page.goto(f"{site}/jobs/{job}")
    plain_page.get_by_role("button", name="Finish with the uploaded files").click()
    expect(plain_page.locator(".chip")).to_have_text("Waiting")
    expect(plain_page.get_by_role("button", name="Finish with the uploaded files")).to_have_count(0)
    plain_page.get_by_role("link", name="Run again with another model …").click()
    expect(plain_page.get_by_label("Version")).to_have_value(str(version))
    plain_page.get_by_label("Name of the new job").fill("plain, better")
    plain_page.get_by_role("button", name="Classify again").click()
    expect(plain_page.get_by_role("heading", name="plain, better", exact=True)).to_be_visible()
    with db.read() as session:
        assert session.execute(select(Job.model_version_id, Job.n_total).order_by(Job.id)).all()[1] == (version, 4)


def test_without_javascript_a_job_can_be_stopped_retried_and_deleted(
    plain_page: Page, site: str, db: Database, blobs: Blobs
) -> None:
    job = make_job(db, make_upload(db, blobs, name="plain"))
    plain_page.goto(f"{site}/jobs/{job}")
    plain_page.get_by_role("button", name="Stop this job").click()
    expect(plain_page.locator(".chip")).to_have_text("Stopped")
    plain_page.get_by_role("button", name="Resume").click()
    expect(plain_page.locator(".chip")).to_have_text("Sorting")
    plain_page.get_by_role("link", name="Delete …").click()
    expect(plain_page.get_by_role("heading", name="Delete “plain”?")).to_be_visible()
    plain_page.get_by_role("link", name="Keep it").click()
    expect(plain_page.locator(".chip")).to_have_text("Sorting")
    plain_page.get_by_role("link", name="Delete …").click()
    plain_page.get_by_label("Type the word").fill("delete")
    plain_page.get_by_role("button", name="Delete permanently").click()
    expect(plain_page.get_by_role("heading", name="Nothing sorted yet")).to_be_visible()
    plain_page.goto(f"{site}/jobs/{job}")
    expect(plain_page.get_by_role("heading", name="This has been deleted")).to_be_visible()


def test_retrying_starts_the_failed_files_anew(owner_page: Page, site: str, db: Database, zoo: UUID) -> None:
    owner_page.goto(f"{site}/jobs/{zoo}")
    owner_page.get_by_role("button", name="Retry failed files").click()
    expect(owner_page.locator('[data-field="progress-text"]')).to_have_text("Sorted 4 of 5 files")
    with db.read() as session:
        assert session.execute(select(Job.n_done, Job.n_failed)).one() == (4, 0)


def test_deleting_asks_whether_pictures_go_too(owner_page: Page, site: str, db: Database, blobs: Blobs) -> None:
    upload = make_upload(db, blobs, n_files=2)
    first, second = make_job(db, upload, name="first"), make_job(db, upload, name="second")
    owner_page.goto(f"{site}/jobs/{first}/delete")
    expect(owner_page.get_by_text("The pictures are kept, because another job uses them.")).to_be_visible()
    owner_page.get_by_label("Type the word").fill(" Delete")
    owner_page.get_by_role("button", name="Delete permanently").click()
    expect(owner_page.locator(".job__name")).to_have_text(["second"])
    owner_page.goto(f"{site}/jobs/{second}/delete")
    expect(owner_page.get_by_text("and the 2 uploaded pictures from the server")).to_be_visible()


def test_what_is_not_there_gets_a_page_of_its_own(owner_page: Page, site: str) -> None:
    for path in ("/nothing", f"/jobs/{uuid4()}"):
        answer = owner_page.goto(site + path)
        assert answer is not None
        assert answer.status == 404
        expect(owner_page.get_by_role("heading", name="Page not found")).to_be_visible()
        owner_page.get_by_role("link", name="Go to the list of jobs").click()
        expect(owner_page).to_have_url(f"{site}/")


def test_the_help_page_has_commands_with_the_readers_address(owner_page: Page, site: str) -> None:
    owner_page.get_by_role("link", name="Help", exact=True).click()
    expect(
        owner_page.get_by_text(f"pawsort classify photos -o photos.csv --server {site} --token TOKEN")
    ).to_be_visible()


def test_what_an_archive_left_out_is_listed_with_the_reason(
    owner_page: Page, site: str, db: Database, blobs: Blobs
) -> None:
    upload = make_upload(db, blobs, n_files=1)
    with db.write() as session:
        uploads.add_skipped(session, uploads.get_upload(session, upload), [("../evil.jpg", "a path that climbs")])
    owner_page.goto(f"{site}/jobs/{make_job(db, upload)}")
    owner_page.get_by_role("link", name="1 entry of the archive was skipped").click()
    expect(owner_page.locator(".failures tbody tr")).to_have_text("../evil.jpga path that climbs")


def test_what_the_model_looked_at_is_shown_over_the_picture_and_the_next_ones(
    owner_page: Page, site: str, db: Database, zoo: UUID
) -> None:
    with db.write() as session:
        session.execute(update(Result).values(heat=bytes(range(49))))
    images = [row.image_id for row in read_results(db, zoo)]
    owner_page.goto(f"{site}/jobs/{zoo}/images/{images[0]}")
    heat = owner_page.locator("[data-heat]")
    expect(heat).to_be_hidden()
    owner_page.keyboard.press("h")
    expect(heat).to_be_visible()
    for click in (False, True):  # as the picture is, and enlarged
        if click:
            owner_page.locator("[data-zoom]").click()
        assert heat.bounding_box() == owner_page.locator("[data-zoom] img").bounding_box()
    owner_page.keyboard.press("ArrowRight")
    owner_page.wait_for_url(f"**/images/{images[1]}")
    expect(heat).to_be_visible()
    owner_page.get_by_role("button", name="What the model looked at").click()
    expect(heat).to_be_hidden()


def test_times_are_those_of_the_readers_zone(open_context: OpenContext, site: str, db: Database, zoo: UUID) -> None:
    with db.write() as session:
        session.execute(update(Job).values(created_at=datetime(2026, 11, 5, 20, 30, tzinfo=UTC)))
    for zone, shown in (("Asia/Tokyo", "6 Nov 2026, 05:30"), ("America/New_York", "5 Nov 2026, 15:30")):
        page = open_context(timezone_id=zone, locale="en-GB").new_page()
        log_in_as(page, site, db)
        expect(page.locator("time").first).to_have_text(shown)
        page.goto(f"{site}/jobs/{zoo}")
        expect(page.locator("time").first).to_have_text(shown)
        expect(page.locator("time").first).to_have_attribute("datetime", "2026-11-05T20:30:00Z")


def test_the_title_of_a_job_says_how_far_it_is(owner_page: Page, site: str, db: Database, blobs: Blobs) -> None:
    upload = make_upload(db, blobs, n_files=4, is_complete=False, name="walk")
    job = make_job(db, upload)
    owner_page.goto(f"{site}/jobs/{job}")
    expect(owner_page).to_have_title("0 sorted · walk – Pawsort")
    run_job(db, job)
    expect(owner_page).to_have_title("4 sorted · walk – Pawsort")
    with db.write() as session:
        shard_rows.complete_upload(session, as_owner(session), upload, 1)
    expect(owner_page).to_have_title("walk – Pawsort")


def test_on_a_phone_what_is_seldom_chosen_takes_a_press_unless_it_was_chosen(
    owner_page: Page, site: str, zoo: UUID
) -> None:
    owner_page.set_viewport_size({"width": 360, "height": 800})
    owner_page.goto(f"{site}/jobs/{zoo}")
    expect(owner_page.get_by_label("Order")).to_be_hidden()
    owner_page.get_by_role("link", name="Filter and tools", exact=True).click()
    expect(owner_page.get_by_role("dialog", name="Filter and tools").get_by_label("Order")).to_be_visible()
    owner_page.goto(site)
    expect(owner_page.get_by_label("State")).to_be_hidden()
    owner_page.get_by_text("State, model, date, order").click()
    expect(owner_page.get_by_label("State")).to_be_visible()
    owner_page.goto(f"{site}/?state=done")
    expect(owner_page.get_by_label("State")).to_be_visible()
    owner_page.goto(site)
    owner_page.set_viewport_size({"width": 1280, "height": 800})
    expect(owner_page.get_by_label("State")).to_be_visible()
    expect(owner_page.get_by_text("State, model, date, order")).to_be_hidden()


def test_on_a_phone_the_menu_begins_with_the_present_page_in_view(owner_page: Page, site: str) -> None:
    owner_page.set_viewport_size({"width": 390, "height": 844})
    for path, name in (("/people", "People"), ("/account", "Account"), ("/labels", "Labels"), ("/help", "Jobs")):
        owner_page.goto(f"{site}{path}")
        expect(owner_page.get_by_role("navigation", name="Main").get_by_role("link", name=name)).to_be_in_viewport(
            ratio=0.98
        )
