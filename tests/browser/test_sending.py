"""What the page does when something goes wrong on the way: it waits, tries again, leaves out, or asks."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, Page, Response, Route, expect
from sqlalchemy import select

from core.accounts import accounts, sessions
from core.base.config import Settings
from core.base.database import Database
from core.jobs import job_states
from core.orm.jobs import Job
from core.orm.uploads import Image, Shard, Upload
from tests.support.actors import as_owner
from tests.support.browser.chromium import drop, intercept, send, wait_for
from tests.support.browser.folder_trees import make_tree
from tests.support.browser.login import log_in, log_in_as
from tests.support.browser.stoppable_server import StoppableServer
from web.app import App

DATABASES = ("sqlite",)  # pages do not differ between databases

SHARDS = "**/api/v1/uploads/*/shards/*"


def _paths(db: Database) -> list[str]:
    with db.read() as session:
        return sorted(session.scalars(select(Image.path)))


def _state(db: Database) -> str | None:
    with db.read() as session:
        return session.scalar(select(Job.state))


def _tells_of_a_job(answer: Response) -> bool:
    return answer.request.method == "GET" and "/api/v1/jobs/" in answer.url and answer.ok


def _failing(times: int, fail: Callable[[Route], object]) -> Callable[[Route], None]:
    """A handler that fails so many requests and lets the rest through."""
    left = [times]

    def handle(route: Route) -> None:
        left[0] -= 1
        if left[0] >= 0:
            fail(route)
        else:
            route.continue_()

    return handle


def test_a_lost_connection_is_waited_out(owner_page: Page, db: Database, tmp_path: Path) -> None:
    paths = make_tree(tmp_path / "photos", 300, depth=2)
    intercept(owner_page, SHARDS, _failing(4, lambda route: route.abort("connectionreset")))
    send(owner_page, [tmp_path / "photos"])
    message = owner_page.locator('[data-part="message"]')
    expect(message).to_contain_text("The server can’t be reached. Retrying in")
    owner_page.wait_for_url("**/jobs/*")
    assert _paths(db) == paths


def test_a_server_that_is_starting_again_is_waited_for(owner_page: Page, db: Database, tmp_path: Path) -> None:
    paths = make_tree(tmp_path / "photos", 20, depth=1)
    intercept(owner_page, "**/api/v1/**", _failing(3, lambda route: route.fulfill(status=503, body="Bad gateway")))
    send(owner_page, [tmp_path / "photos"])
    owner_page.wait_for_url("**/jobs/*")
    assert _paths(db) == paths


@pytest.mark.parametrize("n_tries", [4, pytest.param(10, marks=pytest.mark.slow)])
def test_a_server_that_is_killed_in_the_middle_delays_an_upload_and_nothing_else(
    page: Page, app: App, settings: Settings, db: Database, token: str, tmp_path: Path, n_tries: int
) -> None:
    paths = make_tree(tmp_path / "photos", 1200, depth=2)  # five shards
    server = StoppableServer(settings)
    server.start()
    try:
        log_in(page, server.address, token)
        stopped: list[str] = []
        failed: list[str] = []

        def stop_server(route: Route) -> None:
            server.kill()
            stopped.append(route.request.url)
            route.continue_()

        page.on("requestfailed", lambda request: "/shards/" in request.url and failed.append(request.url))
        intercept(page, "**/shards/3", stop_server, times=1)
        send(page, [tmp_path / "photos"])
        expect(page.locator('[data-part="message"]')).to_contain_text("The server can’t be reached.")
        wait_for(page, lambda: len(failed) >= n_tries, "shards to be tried again and again")
        assert len(stopped) == 1
        assert 0 < len(_paths(db)) < len(paths)
        server.start()
        page.wait_for_url("**/jobs/*")
    finally:
        server.kill()
    assert _paths(db) == paths


def test_an_answer_that_was_lost_doubles_nothing(owner_page: Page, db: Database, tmp_path: Path) -> None:
    paths = make_tree(tmp_path / "photos", 600, depth=1)

    def lose_answer(route: Route) -> None:
        route.fetch()
        route.abort("connectionreset")

    intercept(owner_page, SHARDS, _failing(3, lose_answer))
    send(owner_page, [tmp_path / "photos"])
    owner_page.wait_for_url("**/jobs/*")
    assert _paths(db) == paths
    with db.read() as session:
        assert len(list(session.scalars(select(Shard)))) == 3


def test_after_a_login_in_another_tab_an_upload_goes_on_unless_it_is_somebody_else(
    owner_page: Page, site: str, db: Database, tmp_path: Path
) -> None:
    paths = make_tree(tmp_path / "photos", 30, depth=1)
    with db.write() as session:
        sessions.end_sessions(session, accounts.get_or_create_owner(session).id)
    send(owner_page, [tmp_path / "photos"])
    message = owner_page.locator("[data-panel] [data-part=message]")
    expect(message).to_contain_text("You are no longer logged in.")
    other_tab = owner_page.context.new_page()
    log_in_as(other_tab, site, db, "ada")
    owner_page.get_by_role("button", name="Resume").click()
    expect(message).to_contain_text("Reload")
    log_in_as(other_tab, site, db)
    owner_page.get_by_role("button", name="Resume").click()
    owner_page.wait_for_url("**/jobs/*")
    assert _paths(db) == paths


def test_files_that_vanish_or_change_are_left_out_and_named(owner_page: Page, db: Database, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    paths = make_tree(folder, 300, depth=1)
    lost = ["00003.jpg", "00290.jpg"]

    def change_files(route: Route) -> None:
        (folder / lost[0]).unlink()
        (folder / lost[1]).write_bytes(b"another picture")
        route.continue_()

    intercept(owner_page, "**/api/v1/jobs/*", change_files, times=1)
    send(owner_page, [folder])
    panel = owner_page.locator("[data-panel]")
    expect(panel.locator('[data-part="sent-text"]')).to_contain_text("Uploaded: ")
    expect(panel.locator("summary")).to_have_text("2 files could not be uploaded")
    panel.locator("summary").click()
    expect(panel.locator("li")).to_have_count(2)
    assert sorted(panel.locator("li").all_text_contents()) == [
        f"photos/{name}: The file was changed, moved or deleted during the upload." for name in lost
    ]
    assert _paths(db) == [path for path in paths if path.rpartition("/")[2] not in lost]
    with db.read() as session:
        assert session.scalar(select(Upload.state)) == "complete"


def test_an_upload_whose_files_have_all_vanished_still_ends(owner_page: Page, db: Database, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    make_tree(folder, 3, depth=1)

    def remove_files(route: Route) -> None:
        for file in folder.iterdir():
            file.unlink()
        route.continue_()

    intercept(owner_page, "**/api/v1/jobs/*", remove_files, times=1)
    send(owner_page, [folder])
    expect(owner_page.locator("summary")).to_have_text("3 files could not be uploaded")
    expect(owner_page.locator('[data-part="sent-text"]')).to_contain_text("Uploaded: ")
    with db.read() as session:
        assert session.scalar(select(Upload.state)) == "complete"
        assert _state(db) == "done"


def test_a_full_disk_halts_with_the_servers_words_until_somebody_goes_on(
    owner_page: Page, db: Database, tmp_path: Path
) -> None:
    paths = make_tree(tmp_path / "photos", 10, depth=1)
    problem = {"title": "Insufficient Storage", "status": 507, "detail": "The disk is nearly full. Make room."}
    intercept(owner_page, SHARDS, _failing(1, lambda route: route.fulfill(status=507, json=problem)))
    send(owner_page, [tmp_path / "photos"])
    expect(owner_page.locator('[data-part="message"]')).to_have_text("The disk is nearly full. Make room.")
    owner_page.get_by_role("button", name="Resume").click()
    owner_page.wait_for_url("**/jobs/*")
    assert _paths(db) == paths


def test_closing_the_page_while_sending_warns(owner_page: Page, tmp_path: Path) -> None:
    make_tree(tmp_path / "photos", 3, depth=1)
    intercept(owner_page, SHARDS, lambda route: None)  # never answered
    send(owner_page, [tmp_path / "photos"])
    expect(owner_page.locator('[data-part="sent-text"]')).to_contain_text("Uploading: ")
    owner_page.get_by_role("heading", name="Drop a folder").click()  # browsers ask only where somebody has acted
    asked: list[str] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    owner_page.on("dialog", answer)
    owner_page.goto("about:blank")
    assert asked == ["beforeunload"]


def test_stopping_keeps_what_has_arrived_and_cancels_the_job(owner_page: Page, db: Database, tmp_path: Path) -> None:
    make_tree(tmp_path / "photos", 300, depth=1)
    intercept(owner_page, "**/shards/1", lambda route: None)  # never answered
    send(owner_page, [tmp_path / "photos"])
    expect(owner_page.locator('[data-part="sent"]')).not_to_have_attribute("value", "0")
    owner_page.get_by_role("button", name="Cancel upload").click()
    expect(owner_page.locator('[data-part="sent-text"]')).to_contain_text("Cancelled: ")
    expect(owner_page.get_by_role("button", name="Cancel upload")).to_be_hidden()
    wait_for(owner_page, lambda: _state(db) == "cancelled", "the job to be cancelled")


def test_two_folders_dropped_one_after_the_other_become_two_jobs(
    owner_page: Page, db: Database, tmp_path: Path
) -> None:
    for name in ("first", "second"):
        make_tree(tmp_path / name, 20, depth=2)
    held: list[Route] = []
    intercept(owner_page, "**/complete", lambda route: held.append(route))
    send(owner_page, [tmp_path / "first"])
    expect(owner_page.locator('[data-part="sent-text"]')).to_contain_text("Finishing")
    send(owner_page, [tmp_path / "second"])
    expect(owner_page.locator("[data-panel] h2")).to_have_text(["second", "first"])
    wait_for(owner_page, lambda: len(held) == 2, "both to say that all has been sent")
    for route in held:
        route.continue_()
    expect(owner_page.get_by_text("Uploaded: ")).to_have_count(2)
    with db.read() as session:
        assert sorted(session.scalars(select(Job.name))) == ["first", "second"]


def test_a_folder_with_nothing_to_sort_says_so(owner_page: Page, tmp_path: Path) -> None:
    (tmp_path / "empty" / "below").mkdir(parents=True)
    (tmp_path / "empty" / ".DS_Store").write_bytes(b"litter")
    drop(owner_page, [tmp_path / "empty"])
    said = owner_page.get_by_role("status").filter(has_text="It contains no files")
    expect(said).to_contain_text("1 file (1 system file) is left out.")
    said.get_by_role("button", name="Send everything").click()
    expect(owner_page.locator('[data-part="sum"]')).to_contain_text("1 file")


def test_the_title_says_how_much_has_been_sent(owner_page: Page, tmp_path: Path) -> None:
    make_tree(tmp_path / "photos", 600, depth=1)
    intercept(owner_page, "**/shards/2", lambda route: None)  # never answered
    send(owner_page, [tmp_path / "photos"])
    expect(owner_page).to_have_title("85 % uploaded · Pawsort")


def test_a_job_stopped_elsewhere_ends_the_sending(owner_page: Page, db: Database, tmp_path: Path) -> None:
    make_tree(tmp_path / "photos", 300, depth=1)
    intercept(owner_page, "**/shards/1", lambda route: None)  # never answered
    send(owner_page, [tmp_path / "photos"])
    expect(owner_page.locator('[data-part="sent-text"]')).to_contain_text("Uploading: ")
    with db.read() as session:
        job = session.scalars(select(Job.uuid)).one()
    with db.write() as session:
        job_states.cancel_job(session, as_owner(session), job)
    message = owner_page.locator('[data-part="message"]')
    expect(message).to_have_text("This job was stopped, so the upload was cancelled.")


def test_what_was_stopped_holds_up_neither_the_title_nor_the_next_folder(owner_page: Page, tmp_path: Path) -> None:
    for name in ("first", "second"):
        make_tree(tmp_path / name, 20, depth=1)
    plain = owner_page.title()
    intercept(owner_page, SHARDS, lambda route: None)
    with owner_page.expect_response(_tells_of_a_job):
        send(owner_page, [tmp_path / "first"])
        expect(owner_page.locator('[data-part="sorted-text"]')).to_contain_text("Sorted: 0 of 20")
        expect(owner_page).to_have_title("0 % uploaded · Pawsort")
    owner_page.get_by_role("button", name="Cancel upload").click()
    expect(owner_page).to_have_title(plain)
    owner_page.unroute(SHARDS)
    send(owner_page, [tmp_path / "second"])
    owner_page.wait_for_url("**/jobs/*")
    expect(owner_page.get_by_role("heading", name="second")).to_be_visible()
