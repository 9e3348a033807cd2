"""What the page says before it sends anything: how much, what stays out and why, what the server takes, how long."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from core.base.database import Database
from core.orm.jobs import Job
from core.orm.uploads import Image, Upload
from core.storage.blobs import Blobs
from tests.support.browser.chromium import OpenContext, drop, intercept, send, start_sending, wait_for
from tests.support.browser.folder_trees import make_tree
from tests.support.browser.login import log_in_as
from tests.support.factories import draw_picture, make_job, make_upload, make_version, run_job
from web.pages.common.words import in_bytes

DATABASES = ("sqlite",)  # pages do not differ between databases

LITTER = (".DS_Store", "Thumbs.db")
TERMS = {"maxImageBytes": 1000, "maxUploadBytes": 5000, "roomBytes": 3000, "bytesLeft": None, "picturesLeft": 10}
PASTE = """([names, bytes]) => {
  const clipboardData = new DataTransfer();
  for (const name of names) clipboardData.items.add(new File([new Uint8Array(bytes)], name, { type: "image/jpeg" }));
  document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
}"""


def _paths(db: Database) -> list[str]:
    with db.read() as session:
        return sorted(session.scalars(select(Image.path)))


def _size(folder: Path, pattern: str) -> str:
    """What of a folder is sent, in words: all but litter and what is too large."""
    files = [file for file in folder.rglob(pattern) if file.is_file() and file.name not in LITTER]
    return in_bytes(sum(size for size in (file.stat().st_size for file in files) if size <= 2**20))


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Ten pictures among things that are none."""
    folder = tmp_path / "mixed"
    make_tree(folder, 10, depth=2)
    for name in ("notes.txt", "more.txt", "film.mp4"):
        (folder / name).write_bytes(b"no picture")
    for name in LITTER:
        (folder / name).write_bytes(b"litter")
    with (folder / "huge.jpg").open("wb") as huge:
        huge.truncate(2**20 + 1)  # more than the tests' server takes
    return folder


def test_nothing_is_sent_before_somebody_has_seen_what_it_is(owner_page: Page, db: Database, mixed: Path) -> None:
    asked: list[str] = []
    owner_page.on("request", lambda request: request.method != "GET" and asked.append(request.url))
    intercept(owner_page, "**/trial", lambda route: route.abort())  # it carries nothing of the folder
    drop(owner_page, [mixed])
    offer = owner_page.locator("[data-offer]")
    expect(offer.get_by_role("heading", name="mixed")).to_be_visible()
    expect(offer.locator('[data-part="sum"]')).to_have_text(f"14 files, {_size(mixed, '*')}")
    expect(offer.locator("summary")).to_have_text(
        [
            "3 files don’t look like pictures (2 documents, 1 video). They will be uploaded and listed as failed.",
            "1 file is larger than 1 MB, so it is not uploaded, but listed as failed.",
            "2 files (2 system files) are left out.",
        ]
    )
    expect(offer.locator('[data-part="limits"]')).to_contain_text("This server accepts pictures of up to 1 MB, ")
    expect(offer.get_by_role("button", name="Start upload")).to_be_focused()
    offer.get_by_text("2 files (2 system files)").click()
    expect(offer.get_by_text("mixed/.DS_Store")).to_be_visible()
    assert {url.rpartition("/")[2] for url in asked} <= {"trial"}
    offer.get_by_role("button", name="Cancel").click()
    expect(offer).to_have_count(0)
    assert {url.rpartition("/")[2] for url in asked} <= {"trial"}


def test_one_press_starts_and_what_is_no_picture_may_stay_out(owner_page: Page, db: Database, mixed: Path) -> None:
    drop(owner_page, [mixed])
    owner_page.get_by_label("Skip them").check()
    expect(owner_page.locator('[data-part="sum"]')).to_have_text(f"11 files, {_size(mixed, '*.jpg')}")
    owner_page.keyboard.press("Shift+Tab")
    start_sending(owner_page)
    owner_page.wait_for_url("**/jobs/*")
    assert {path.rpartition(".")[2] for path in _paths(db)} == {"jpg"}
    assert len(_paths(db)) == 11


def test_what_is_left_out_is_sent_where_everything_is_wanted(owner_page: Page, db: Database, mixed: Path) -> None:
    drop(owner_page, [mixed])
    owner_page.get_by_label("Send everything").check()
    expect(owner_page.locator('[data-part="sum"]')).to_contain_text("16 files")
    expect(owner_page.locator("summary").last).to_have_text("2 files (2 system files) are sent as well.")
    owner_page.get_by_label("Send everything").uncheck()
    expect(owner_page.locator('[data-part="sum"]')).to_contain_text("14 files")
    owner_page.get_by_label("Send everything").check()
    expect(owner_page.locator('[data-part="sum"]')).to_contain_text("16 files")
    start_sending(owner_page)
    owner_page.wait_for_url("**/jobs/*")
    assert "mixed/.DS_Store" in _paths(db)


def test_a_folder_and_an_archive_dropped_together_are_one_question(
    owner_page: Page, db: Database, tmp_path: Path
) -> None:
    make_tree(tmp_path / "photos", 3, depth=1)
    archive = tmp_path / "more.zip"
    archive.write_bytes(b"no zip")
    send(owner_page, [tmp_path / "photos", archive])
    expect(owner_page.locator("[data-panel] h2")).to_have_text(["photos", "more"])


def test_the_first_time_ever_it_tries_the_connection_and_says_how_long_it_may_take(
    owner_page: Page, tmp_path: Path
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for n in range(8):
        (folder / f"{n}.jpg").write_bytes(bytes(10**6))
    slow = {"offline": False, "latency": 5, "downloadThroughput": -1, "uploadThroughput": 200_000}
    owner_page.context.new_cdp_session(owner_page).send("Network.emulateNetworkConditions", slow)
    tried: list[int] = []
    owner_page.on(
        "request", lambda request: request.url.endswith("/trial") and tried.append(len(request.post_data_buffer or b""))
    )
    drop(owner_page, [folder])
    time = owner_page.locator('[data-part="time"]').first
    expect(time).to_have_text(re.compile(r"^About ([3-5]\d seconds|[1-9] minutes?) \(rough estimate\)\.$"))
    assert sum(tried) <= 8 * 10**6 / 20


def test_a_second_time_it_says_how_long_it_will_take(
    owner_page: Page, site: str, db: Database, blobs: Blobs, tmp_path: Path
) -> None:
    make_tree(tmp_path / "photos", 3, depth=1)
    run_job(db, make_job(db, make_upload(db, blobs, n_files=100)))
    owner_page.goto(site)
    owner_page.evaluate(
        """async () => {
          const { notePace } = await import("/static/upload/resume/storage.js");
          notePace({ nBytes: 1000000, nFiles: 1000, seconds: 2 });
        }"""
    )
    drop(owner_page, [tmp_path / "photos"])
    time = owner_page.locator('[data-part="time"]').first
    expect(time).to_have_text("A few seconds (at the speed of last time).")


@pytest.mark.parametrize(
    ("n_files", "n_archives", "sending", "sorting", "source", "sentence"),
    [
        (6000, 0, 1e6, 10, "last time", "About 10 minutes (at the speed of last time)."),
        (1, 0, 1e5, 10, "last time", "About 20 minutes (at the speed of last time)."),
        (0, 1, 1e6, 10, "last time", "Uploading takes about 2 minutes. The sorting time is shown after the start."),
        (6000, 0, None, 10, "trial", "Sorting takes about 10 minutes. The upload time is shown after the start."),
        (6000, 0, None, None, "trial", "The time is shown after the start."),
        (6000, 0, None, 10, "trying", "Measuring the connection …"),
    ],
    ids=["sorting is slower", "sending is slower", "archive", "no trial", "nothing known", "on trial"],
)
def test_the_slower_of_sending_and_sorting_counts(
    page: Page,
    site: str,
    n_files: int,
    n_archives: int,
    sending: float | None,
    sorting: float | None,
    source: str,
    sentence: str,
) -> None:
    page.goto(f"{site}/login")
    script = "async (given) => (await import('/static/upload/view/summary.js')).timeWords(...given)"
    amount = {"nFiles": n_files, "nArchives": n_archives, "nBytes": 120_000_000}
    pace = None if sending is None else {"bytesPerS": sending, "filesPerS": 800}
    of_version = None if sorting is None else {"imagesPerS": sorting, "isMeasured": True}
    assert page.evaluate(script, [amount, pace, of_version, source]) == sentence


def test_of_what_was_begun_before_only_the_rest_takes_time(page: Page, site: str) -> None:
    page.goto(f"{site}/login")
    script = "async (given) => (await import('/static/upload/view/summary.js')).leftOf(...given)"
    parcels = [{"earlier": {"nArrived": 75}}, {"earlier": None}]
    for n_archives, n_bytes in ((0, 1250), (1, 5000)):
        left = page.evaluate(script, [{"nFiles": 100, "nArchives": n_archives, "nBytes": 5000}, parcels])
        assert left == {"nFiles": 25, "nArchives": n_archives, "nBytes": n_bytes}


def test_a_folder_begun_before_can_be_sent_as_a_new_upload(owner_page: Page, db: Database, tmp_path: Path) -> None:
    make_tree(tmp_path / "photos", 300, depth=1)
    intercept(owner_page, "**/shards/1", lambda route: None)  # never answered
    send(owner_page, [tmp_path / "photos"])
    wait_for(owner_page, lambda: _paths(db), "the first shard to arrive")
    owner_page.once("dialog", lambda dialog: dialog.accept())
    owner_page.reload()
    owner_page.unroute("**/shards/1")
    drop(owner_page, [tmp_path / "photos"])
    expect(owner_page.locator('[data-part="earlier"]')).to_contain_text("256 of 300 files are already here")
    expect(owner_page.get_by_role("button", name="Resume upload")).to_be_enabled()
    owner_page.get_by_role("button", name="Upload everything again as a new job").click()
    owner_page.wait_for_url("**/jobs/*")
    with db.read() as session:
        assert session.scalars(select(Upload.n_images).order_by(Upload.id)).all() == [256, 300]


def test_another_version_can_be_chosen_before_sending(
    owner_page: Page, site: str, db: Database, tmp_path: Path
) -> None:
    make_tree(tmp_path / "photos", 3, depth=1)
    version = make_version(db, "efficientnet-lite0")
    owner_page.goto(site)
    drop(owner_page, [tmp_path / "photos"])
    owner_page.get_by_label("Sort with").select_option(label=f"Version {version} (efficientnet-lite0)")
    start_sending(owner_page)
    owner_page.wait_for_url("**/jobs/*")
    with db.read() as session:
        assert session.scalar(select(Job.model_version_id)) == version


def test_originals_are_discarded_if_somebody_wishes_so_before_sending(
    owner_page: Page, db: Database, tmp_path: Path
) -> None:
    make_tree(tmp_path / "photos", 3, depth=1)
    drop(owner_page, [tmp_path / "photos"])
    owner_page.locator("[data-offer]").get_by_label("Keep only the labels").check()
    start_sending(owner_page)
    owner_page.wait_for_url("**/jobs/*")
    with db.read() as session:
        assert session.scalar(select(Upload.discards)) is True


@pytest.mark.parametrize(
    ("amount", "largest", "sentence"),
    [
        ({"nFiles": 0, "nArchives": 0, "nBytes": 0}, 0, "There is nothing to upload."),
        (
            {"nFiles": 1, "nArchives": 1, "nBytes": 5500},
            5001,
            "This server accepts up to 5.0 KB per upload. Upload the folder in parts.",
        ),
        (
            {"nFiles": 9, "nArchives": 0, "nBytes": 3001},
            3001,
            "This server has 3.0 KB of free space. Delete old jobs, or upload less.",
        ),
        (
            {"nFiles": 11, "nArchives": 0, "nBytes": 3000},
            3000,
            "You have 10 pictures left of your quota. Delete old jobs, or upload less.",
        ),
        ({"nFiles": 9, "nArchives": 0, "nBytes": 3000}, 3000, ""),
    ],
    ids=["nothing", "too much at a time", "no room", "no quota", "fits"],
)
def test_what_the_server_would_refuse_is_refused_before(
    page: Page, site: str, amount: dict[str, int], largest: int, sentence: str
) -> None:
    page.goto(f"{site}/login")
    script = "async (given) => (await import('/static/upload/view/summary.js')).refusalOf(...given)"
    given: list[Any] = [amount, largest, TERMS]
    assert page.evaluate(script, given) == sentence


def test_pasted_pictures_are_sent_under_names_of_their_own(owner_page: Page, db: Database) -> None:
    owner_page.evaluate(PASTE, [["image.jpg", "image.jpg", "named.jpg"], list(draw_picture(1))])
    start_sending(owner_page)
    owner_page.wait_for_url("**/jobs/*")
    paths = _paths(db)
    assert len(paths) == len(set(paths)) == 3
    assert paths[2] == "named.jpg"
    assert all(path.startswith("Pasted 20") for path in paths[:2])


def test_on_a_telephone_pictures_are_picked(open_context: OpenContext, site: str, db: Database, tmp_path: Path) -> None:
    phone = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True, "device_scale_factor": 3}
    page = open_context(**phone).new_page()
    log_in_as(page, site, db)
    expect(page.get_by_role("heading", name="Choose pictures to sort")).to_be_visible()
    # As telephones name what they have just taken: twice the same.
    files = [tmp_path / "a" / "image.jpg", tmp_path / "b" / "image.jpg"]
    for n, file in enumerate(files):
        file.parent.mkdir()
        file.write_bytes(draw_picture(n))
    with page.expect_file_chooser() as choosing:
        page.get_by_role("button", name="Choose files").tap()
    choosing.value.set_files(files)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 360
    page.get_by_role("button", name="Start upload").tap()
    page.wait_for_url("**/jobs/*")
    assert _paths(db) == ["image.jpg", "image.jpg"]
