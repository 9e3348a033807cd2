"""A folder that was not sent to its end, dropped again: after a reload, after changes, beside another tab."""

import base64
import hashlib
import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect
from sqlalchemy import select

from core.base.database import Database
from core.ingest import shard_rows
from core.jobs import job_states
from core.orm.jobs import Job
from core.orm.uploads import Image, Shard, Upload
from tests.support.actors import as_owner
from tests.support.browser.chromium import drop, intercept, send, wait_for
from tests.support.browser.folder_trees import make_tree
from tests.support.browser.page_clock import n_asked, take_time, turn
from tests.support.factories import draw_picture, make_tar

DATABASES = ("sqlite",)  # pages do not differ between databases

N_FILES = 520  # three shards


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_tree(tmp_path / "photos", N_FILES, depth=3)
    return tmp_path / "photos"


def _paths(db: Database) -> list[str]:
    with db.read() as session:
        return sorted(session.scalars(select(Image.path)))


def _now(folder: Path) -> list[str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return sorted(f"{folder.name}/{path.relative_to(folder).as_posix()}" for path in files)


def _send_only(page: Page, folder: Path, seq: int, db: Database) -> None:
    """Send one shard, and leave the page before the others have been answered."""

    def handle(route: Route) -> None:
        if route.request.url.endswith(f"/{seq}"):
            route.continue_()

    intercept(page, "**/shards/*", handle)
    send(page, [folder])
    wait_for(page, lambda: _paths(db), "the first shard to arrive")
    page.once("dialog", lambda dialog: dialog.accept())
    page.reload()
    page.unroute("**/shards/*")


def _count_shards_sent(page: Page) -> list[str]:
    sent: list[str] = []
    page.on("request", lambda request: "/shards/" in request.url and sent.append(request.url.rpartition("/")[2]))
    return sent


@pytest.mark.parametrize("seq", [0, 1])
def test_after_a_reload_the_same_folder_sends_only_what_is_missing(
    plain_http_page: Page, db: Database, folder: Path, seq: int
) -> None:
    _send_only(plain_http_page, folder, seq, db)
    assert len(_paths(db)) == 256
    sent = _count_shards_sent(plain_http_page)
    send(plain_http_page, [folder])
    plain_http_page.wait_for_url("**/jobs/*")
    assert _paths(db) == _now(folder)
    assert sorted(sent) == sorted({"0", "1", "2"} - {str(seq)})
    with db.read() as session:
        assert session.scalars(select(Upload.state)).all() == ["complete"]
        assert session.scalars(select(Job.n_total)).all() == [N_FILES]


@pytest.mark.slow
def test_files_added_meanwhile_are_sent_and_removed_ones_stay_as_they_were_sent(
    owner_page: Page, db: Database, folder: Path
) -> None:
    _send_only(owner_page, folder, 0, db)
    arrived = _paths(db)
    unsent = sorted(set(_now(folder)) - set(arrived))
    for path in (arrived[3], unsent[3]):
        (folder.parent / path).unlink()
    for n in range(3):
        (folder / f"added {n}.jpg").write_bytes(draw_picture(100 + n))
    send(owner_page, [folder])
    owner_page.wait_for_url("**/jobs/*")
    assert _paths(db) == sorted({*_now(folder), *arrived})
    assert len(_paths(db)) == N_FILES + 2


def test_a_file_that_has_another_size_now_is_sent_again(owner_page: Page, db: Database, folder: Path) -> None:
    _send_only(owner_page, folder, 0, db)
    changed = _paths(db)[0]
    (folder.parent / changed).write_bytes(draw_picture(7, size=(80, 80)))
    send(owner_page, [folder])
    owner_page.wait_for_url("**/jobs/*")
    assert _paths(db) == sorted([*_now(folder), changed])


def test_a_file_written_since_is_sent_again_only_if_its_content_is_new(
    plain_http_page: Page, db: Database, folder: Path
) -> None:
    _send_only(plain_http_page, folder, 0, db)
    new, touched = (folder.parent / path for path in _paths(db)[:2])
    content = new.read_bytes()
    new.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    touched.write_bytes(touched.read_bytes())
    send(plain_http_page, [folder])
    plain_http_page.wait_for_url("**/jobs/*")
    assert _paths(db) == sorted([*_now(folder), f"photos/{new.relative_to(folder).as_posix()}"])


@pytest.mark.parametrize("size", [0, 55, 56, 64, 119, 2**19, 2**19 + 1])
def test_contents_are_known_by_their_sha_256(page: Page, site: str, size: int) -> None:
    page.goto(f"{site}/login")
    data = bytes(n * n % 251 for n in range(size))
    script = """async (text) => {
      const { sha256 } = await import("/static/upload/plan/sha256.js");
      return sha256(new Blob([Uint8Array.from(atob(text), (one) => one.charCodeAt(0))]));
    }"""
    assert page.evaluate(script, base64.b64encode(data).decode()) == hashlib.sha256(data).hexdigest()


def test_an_upload_that_lacks_nothing_but_its_end_is_ended(owner_page: Page, db: Database, folder: Path) -> None:
    _send_only(owner_page, folder, 2, db)
    arrived = _paths(db)
    for path in set(_now(folder)) - set(arrived):
        (folder.parent / path).unlink()
    send(owner_page, [folder])
    owner_page.wait_for_url("**/jobs/*")
    assert _paths(db) == arrived
    with db.read() as session:
        assert session.scalar(select(Upload.state)) == "complete"


def test_a_folder_that_was_sent_to_its_end_is_a_new_upload(owner_page: Page, db: Database, tmp_path: Path) -> None:
    make_tree(tmp_path / "photos", 3, depth=1)
    for _ in range(2):
        owner_page.goto(owner_page.url.partition("/jobs/")[0])
        send(owner_page, [tmp_path / "photos"])
        owner_page.wait_for_url("**/jobs/*")
    with db.read() as session:
        assert session.scalars(select(Upload.n_images)).all() == [3, 3]


def test_another_folder_of_the_same_name_is_a_new_upload(
    owner_page: Page, db: Database, folder: Path, tmp_path: Path
) -> None:
    _send_only(owner_page, folder, 0, db)
    other = tmp_path / "other disk" / "photos"
    other.mkdir(parents=True)
    (other / "a.jpg").write_bytes(draw_picture(1))
    send(owner_page, [other])
    owner_page.wait_for_url("**/jobs/*")
    with db.read() as session:
        assert session.scalars(select(Upload.n_images).order_by(Upload.id)).all() == [256, 1]


def test_an_upload_that_was_finished_elsewhere_begins_anew(owner_page: Page, db: Database, folder: Path) -> None:
    _send_only(owner_page, folder, 0, db)
    with db.write() as session:
        shard_rows.complete_upload(session, as_owner(session), session.scalars(select(Upload.uuid)).one(), partial=True)
    send(owner_page, [folder])
    owner_page.wait_for_url("**/jobs/*")
    with db.read() as session:
        assert session.scalars(select(Upload.n_images).order_by(Upload.id)).all() == [256, N_FILES]


def _send_but_hear_no_end(page: Page, path: Path, last_call: str, db: Database) -> None:
    """Send everything, and leave the page before it hears that all has arrived."""
    heard: list[int] = []

    def swallow(route: Route) -> None:
        # A body that is a file is not seen here. The answer reaches nobody.
        heard.append(route.fetch(post_data=path.read_bytes() if path.is_file() else None).status)

    intercept(page, last_call, swallow)
    send(page, [path])
    wait_for(page, lambda: heard, "the last call to be answered")
    page.once("dialog", lambda dialog: dialog.accept())
    page.reload()
    page.unroute(last_call)
    assert _states(db) == ["complete"]


def _states(db: Database) -> list[str]:
    with db.read() as session:
        return list(session.scalars(select(Upload.state)))


@pytest.mark.parametrize("kind", ["folder", "archive"])
def test_what_arrived_whole_before_the_page_heard_of_it_leads_to_its_job(
    owner_page: Page, db: Database, folder: Path, kind: str
) -> None:
    path = folder
    if kind == "archive":
        path = folder.parent / "photos.tar"
        path.write_bytes(make_tar({"photos/1.jpg": draw_picture(1)}))
    _send_but_hear_no_end(owner_page, path, "**/complete" if kind == "folder" else "**/archives?*", db)
    drop(owner_page, [path])
    expect(owner_page.locator('[data-part="earlier"]')).to_contain_text("everything is already here and has its job")
    if kind == "folder":
        expect(owner_page.locator('[data-part="time"]')).to_have_text("Nothing to upload.")
    owner_page.get_by_role("button", name="Open job").click()
    with db.read() as session:
        owner_page.wait_for_url(f"**/jobs/{session.scalars(select(Job.uuid)).one()}")
    owner_page.goto(owner_page.url.partition("/jobs/")[0])
    send(owner_page, [path])  # and once that was seen, it is a new one again
    owner_page.wait_for_url("**/jobs/*")
    assert _states(db) == ["complete", "complete"]


def test_what_arrived_whole_can_be_sent_as_a_new_upload(owner_page: Page, db: Database, folder: Path) -> None:
    _send_but_hear_no_end(owner_page, folder, "**/complete", db)
    drop(owner_page, [folder])
    owner_page.get_by_role("button", name="Upload everything again as a new job").click()
    owner_page.wait_for_url("**/jobs/*")
    assert _states(db) == ["complete", "complete"]


@pytest.mark.slow
def test_what_arrived_whole_and_was_stopped_gets_a_new_job_without_being_sent_again(
    owner_page: Page, db: Database, folder: Path
) -> None:
    _send_but_hear_no_end(owner_page, folder, "**/complete", db)
    with db.write() as session:
        job_states.cancel_job(session, as_owner(session), session.scalars(select(Job.uuid)).one())
    sent = _count_shards_sent(owner_page)
    send(owner_page, [folder])
    owner_page.wait_for_url("**/jobs/*")
    assert sent == []
    with db.read() as session:
        assert session.execute(select(Job.state, Job.n_total).order_by(Job.id)).all()[1] == ("queued", N_FILES)


@pytest.mark.slow
def test_a_job_that_was_stopped_meanwhile_gets_a_successor_over_the_same_pictures(
    owner_page: Page, db: Database, folder: Path
) -> None:
    _send_only(owner_page, folder, 0, db)
    with db.write() as session:
        job_states.cancel_job(session, as_owner(session), session.scalars(select(Job.uuid)).one())
    send(owner_page, [folder])
    owner_page.wait_for_url("**/jobs/*")
    assert _paths(db) == _now(folder)
    with db.read() as session:
        assert session.execute(select(Job.state, Job.n_total).order_by(Job.id)).all()[1] == ("queued", N_FILES)


def test_an_archive_begun_before_goes_on_in_the_same_job(owner_page: Page, db: Database, tmp_path: Path) -> None:
    files = {f"photos/{n}.jpg": draw_picture(n) for n in range(300)}
    archive = tmp_path / "photos.tar"
    archive.write_bytes(make_tar(files))

    tried: list[str] = []

    def break_off(route: Route) -> None:
        if not tried:
            route.fetch(post_data=archive.read_bytes()[: -(2**17)])
        tried.append(route.request.url)
        route.abort("connectionreset")

    intercept(owner_page, "**/api/v1/archives?*", break_off)
    send(owner_page, [archive])
    wait_for(owner_page, lambda: _paths(db), "some files to arrive")
    owner_page.get_by_role("button", name="Pause").click()
    owner_page.once("dialog", lambda dialog: dialog.accept())
    owner_page.reload()
    owner_page.unroute("**/api/v1/archives?*")
    send(owner_page, [archive])
    owner_page.wait_for_url("**/jobs/*")
    assert _paths(db) == sorted(files)
    with db.read() as session:
        assert session.scalars(select(Job.n_total)).all() == [300]


def test_the_page_reminds_of_what_was_not_sent_to_its_end_and_finishes_it(
    owner_page: Page, site: str, db: Database, folder: Path
) -> None:
    _send_only(owner_page, folder, 0, db)
    reminder = owner_page.locator("[data-unfinished]")
    expect(reminder).to_contain_text("The upload of photos (started")
    expect(reminder).to_contain_text("256 files arrived.")
    reminder.get_by_role("button", name="Finish with the uploaded files").click()
    owner_page.wait_for_url("**/jobs/*")
    with db.read() as session:
        assert session.scalar(select(Upload.state)) == "complete"
    owner_page.goto(site)
    owner_page.wait_for_load_state("networkidle")
    expect(reminder).to_have_count(0)


def test_the_page_ends_an_upload_of_which_all_has_arrived_instead_of_reminding_of_it(
    owner_page: Page, site: str, db: Database, folder: Path
) -> None:
    intercept(owner_page, "**/complete", lambda route: route.abort())
    send(owner_page, [folder])
    wait_for(owner_page, lambda: len(_paths(db)) == N_FILES, "all files to arrive")
    expect(owner_page.get_by_role("heading", name="Nothing sorted yet")).to_have_count(0)
    owner_page.on("dialog", lambda dialog: dialog.accept())
    owner_page.goto("about:blank")  # or the first page tries again, and opens its job meanwhile
    owner_page.unroute("**/complete")
    owner_page.goto(site)
    wait_for(owner_page, lambda: _states(db) == ["complete"], "the upload to be ended")
    expect(owner_page.locator("[data-unfinished]")).to_have_count(0)


@pytest.mark.slow
def test_two_tabs_that_send_the_same_folder_bring_it_once(
    owner_page: Page, context: BrowserContext, site: str, db: Database, folder: Path
) -> None:
    _send_only(owner_page, folder, 0, db)
    second = context.new_page()
    second.goto(site)
    held: list[Route] = []
    intercept(second, "**/shards/*", lambda route: held.append(route), times=2)
    send(second, [folder])
    wait_for(second, lambda: len(held) == 2, "the second tab to send")
    (folder / "added.jpg").write_bytes(draw_picture(1))
    intercept(owner_page, "**/complete", lambda route: None)  # the first is not yet done when the second goes on
    owner_page.bring_to_front()
    send(owner_page, [folder])
    wait_for(owner_page, lambda: len(_paths(db)) == N_FILES + 1, "all files to arrive")
    for route in held:
        route.continue_()
    second.wait_for_url("**/jobs/*")
    assert _paths(db) == _now(folder)


def test_a_pause_sends_nothing_until_somebody_goes_on(owner_page: Page, db: Database, folder: Path) -> None:
    take_time(owner_page)
    owner_page.reload()
    held: list[str] = []
    intercept(owner_page, "**/shards/*", lambda route: held.append(route.request.url))  # never answered
    send(owner_page, [folder])
    wait_for(owner_page, lambda: len(held) == 3, "all three shards to be on their way")
    owner_page.get_by_role("button", name="Pause").click()
    expect(owner_page.locator('[data-part="sent-text"]')).to_contain_text("Paused: ")
    owner_page.unroute("**/shards/*")
    asked = [n_asked(owner_page, f"/shards/{seq}") for seq in range(3)]
    turn(owner_page)
    assert [n_asked(owner_page, f"/shards/{seq}") for seq in range(3)] == asked == [1, 1, 1]
    with db.read() as session:
        assert session.scalars(select(Shard)).all() == []
        assert session.scalar(select(Job.state)) == "receiving"
    owner_page.get_by_role("button", name="Resume").click()
    owner_page.wait_for_url("**/jobs/*")
    assert _paths(db) == _now(folder)


def test_a_pause_says_what_it_costs(owner_page: Page, folder: Path) -> None:
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 20_000}
    owner_page.context.new_cdp_session(owner_page).send("Network.emulateNetworkConditions", slow)
    send(owner_page, [folder])
    expect(owner_page.locator('[data-part="sent-text"]')).to_contain_text(
        re.compile(r"Uploading: [1-9]\d[\d.]* KB of ")
    )
    owner_page.get_by_role("button", name="Pause").click()
    expect(owner_page.locator('[data-part="message"]')).to_contain_text(
        "were partly uploaded and will be uploaded again."
    )


def test_whoever_sends_by_keyboard_keeps_the_focus(owner_page: Page, folder: Path) -> None:
    intercept(owner_page, "**/shards/*", lambda route: None)  # never answered
    drop(owner_page, [folder])
    owner_page.get_by_role("button", name="Cancel").focus()
    owner_page.keyboard.press("Enter")
    expect(owner_page.get_by_role("button", name="Choose a folder")).to_be_focused()
    drop(owner_page, [folder])
    expect(owner_page.get_by_role("button", name="Start upload")).to_be_focused()
    owner_page.keyboard.press("Enter")
    expect(owner_page.get_by_role("heading", name="photos", exact=True)).to_be_focused()
    expect(owner_page.locator('[data-part="sent-text"]')).to_contain_text("Uploading: ")
    for pressed, then in (("Pause", "Resume"), ("Resume", "Pause")):
        owner_page.get_by_role("button", name=pressed).focus()
        owner_page.keyboard.press("Enter")
        expect(owner_page.get_by_role("button", name=then)).to_be_focused()
    owner_page.get_by_role("button", name="Cancel upload").press("Enter")
    expect(owner_page.get_by_role("heading", name="photos", exact=True)).to_be_focused()
