"""Folders dropped on the page of a whole instance: everything arrives, exactly, and the page stays alive."""

import lzma
import os
import time
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Error, Page, expect

from tests.support.archives import make_old_tar, make_zip
from tests.support.browser.api import Api, job_id_of
from tests.support.browser.chromium import intercept, send, start_sending
from tests.support.browser.folder_trees import make_tree
from tests.support.browser.page_probe import heap_bytes, longest_block_ms, start_probe
from tests.support.deadlines import within, within_ms
from tests.support.factories import draw_picture, make_tar

pytestmark = pytest.mark.timed
LONGEST_BLOCK_MS = 200  # beyond what an idle page beside it suffers: other programs hold pages up as well
MOST_HEAP_BYTES = 500 * 10**6
SAMPLE_MS = 100
TOO_LARGE = 64 * 2**20 + 1


@dataclass
class Measured:
    """A drop: the job, how long the page did not answer, at most, and how much its scripts held, at most."""

    job_id: str
    longest_block_ms: float = 0.0
    heap_bytes: int = 0


def _drop_and_measure(page: Page, folder: Path, timeout_s: float) -> Measured:
    """Drop a folder and stay until all is sent. What held up an idle page beside it is taken off the longest block."""
    assert page.context.browser is not None
    idle = page.context.browser.new_page()
    start_probe(idle)
    page.wait_for_load_state("networkidle")
    start_probe(page)
    send(page, [folder])
    measured, give_up_at = Measured(""), time.monotonic() + within(timeout_s)
    while "/jobs/" not in page.url and time.monotonic() < give_up_at:
        with suppress(Error):  # the page moves on by itself when all is sent
            measured.longest_block_ms = max(measured.longest_block_ms, longest_block_ms(page))
            measured.heap_bytes = max(measured.heap_bytes, heap_bytes(page))
        page.wait_for_timeout(SAMPLE_MS)
    page.wait_for_url("**/jobs/*")
    measured.longest_block_ms -= longest_block_ms(idle)
    measured.job_id = job_id_of(page.url)
    idle.close()
    return measured


def _check_tree(page: Page, api: Api, folder: Path, paths: list[str], timeout_s: float) -> None:
    measured = _drop_and_measure(page, folder, timeout_s)
    job_id = measured.job_id
    job = api.wait_until_done(job_id, timeout_s)
    assert job["state"] == "done"
    assert job["name"] == folder.name
    assert job["counts"]["total"] == job["counts"]["done"] == len(paths)
    assert sorted(row["path"] for row in api.rows(job_id)) == paths
    expect(page.locator('[data-field="progress-text"]')).to_have_text(
        f"Sorted {len(paths):,} files", timeout=within_ms(30_000)
    )
    assert measured.longest_block_ms <= within_ms(LONGEST_BLOCK_MS)
    assert 0 < measured.heap_bytes <= MOST_HEAP_BYTES
    print(f"{len(paths)} files: blocked {measured.longest_block_ms:.0f} ms, heap {measured.heap_bytes / 1e6:.0f} MB")


def test_2000_files_in_a_dropped_folder_arrive_and_the_page_never_hangs(
    user_page: Page, api: Api, tmp_path: Path
) -> None:
    folder = tmp_path / "holiday 2026"
    _check_tree(user_page, api, folder, make_tree(folder, 2000, depth=4), 120)


@pytest.mark.slow
def test_20000_files_twelve_folders_deep_arrive_and_the_page_never_hangs(
    user_page: Page, api: Api, tmp_path: Path
) -> None:
    folder = tmp_path / "everything"
    _check_tree(user_page, api, folder, make_tree(folder, 20_000, depth=12), 600)


def test_odd_names_and_broken_files_each_get_one_row_with_the_exact_path(
    user_page: Page, api: Api, tmp_path: Path
) -> None:
    root = tmp_path / "mixed"
    names = [
        "фото/Москва.jpg",
        "照片/猫.jpg",
        "emoji/🐱 & 🐶.jpg",
        "case/a.jpg",
        "case/A.jpg",
        "long/" + "x" * 251 + ".jpg",
        "/".join(f"folder {n}" for n in range(10)) + "/deep.jpg",
        "<img src=x onerror=alert(1)>.jpg",
        "100% #1?.jpg",
    ]
    content = {name: draw_picture(n) for n, name in enumerate(names)}
    content |= {"empty.jpg": b"", "notes.txt": b"no picture", "broken.jpg": draw_picture(1)[:200]}
    for name, data in content.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    with (root / "huge.jpg").open("wb") as huge:
        os.truncate(huge.fileno(), TOO_LARGE)
    for ignored in (".DS_Store", "case/Thumbs.db", "case/desktop.ini", "._a.jpg", "__MACOSX/a.jpg"):
        (root / ignored).parent.mkdir(exist_ok=True)
        (root / ignored).write_bytes(b"litter")
    (root / "link.jpg").symlink_to(root / "case/a.jpg")

    job_id = _drop_and_measure(user_page, root, 60).job_id
    job = api.wait_until_done(job_id)
    rows = {row["path"]: row["error_code"] for row in api.rows(job_id)}
    assert job["state"] == "done"
    assert sorted(rows) == sorted(f"mixed/{name}" for name in (*content, "huge.jpg"))
    assert rows["mixed/empty.jpg"] == "empty_file"
    assert rows["mixed/notes.txt"] == "not_an_image"
    assert rows["mixed/huge.jpg"] == "too_many_bytes"
    assert rows["mixed/broken.jpg"] == "truncated"
    assert [rows[f"mixed/{name}"] for name in names] == [""] * len(names)


def test_sorting_goes_on_while_the_rest_is_still_being_sent(user_page: Page, api: Api, tmp_path: Path) -> None:
    folder = tmp_path / "growing"
    make_tree(folder, 600, depth=1)
    held = []
    intercept(user_page, "**/shards/2", lambda route: held.append(route))
    send(user_page, [folder])
    sorted_text = user_page.locator('[data-part="sorted-text"]')
    expect(sorted_text).to_have_text("Sorted: 512 of 600 files", timeout=within_ms(60_000))
    job = api.newest_job()
    assert (job["state"], job["counts"]["total"]) == ("receiving", 512)
    held[0].continue_()
    user_page.wait_for_url("**/jobs/*")
    assert api.wait_until_done(job["id"])["counts"]["done"] == 600


def test_a_picked_folder_arrives_like_a_dropped_one(user_page: Page, api: Api, tmp_path: Path) -> None:
    folder = tmp_path / "picked"
    paths = make_tree(folder, 30, depth=3)
    user_page.set_input_files('[data-input="folder"]', folder)
    start_sending(user_page)
    user_page.wait_for_url("**/jobs/*")
    job = api.wait_until_done(job_id_of(user_page.url))
    assert job["name"] == "picked"
    assert sorted(row["path"] for row in api.rows(job["id"])) == paths


def test_loose_files_arrive_under_their_names(user_page: Page, api: Api, tmp_path: Path) -> None:
    files = [tmp_path / f"{n} ä.png" for n in range(3)]
    for n, file in enumerate(files):
        file.write_bytes(draw_picture(n, format="PNG"))
    send(user_page, files)
    user_page.wait_for_url("**/jobs/*")
    job = api.wait_until_done(job_id_of(user_page.url))
    assert job["name"] == "3 files"
    assert [row["path"] for row in api.rows(job["id"])] == [file.name for file in files]


def test_a_dropped_zip_is_sent_as_it_is_and_unpacked_by_the_server(user_page: Page, api: Api, tmp_path: Path) -> None:
    archive = tmp_path / "from a camera.zip"
    names = [f"from a camera/день {n % 3}/{n}.jpg" for n in range(20)]
    with zipfile.ZipFile(archive, "w") as writing:
        for n, name in enumerate(names):
            writing.writestr(name, draw_picture(n))
    send(user_page, [archive])
    user_page.wait_for_url("**/jobs/*")
    job = api.wait_until_done(job_id_of(user_page.url))
    assert job["name"] == "from a camera"
    assert [row["path"] for row in api.rows(job["id"])] == names


def test_an_archive_is_known_by_its_content(user_page: Page, api: Api, tmp_path: Path) -> None:
    archive = tmp_path / "photos.jpg"
    files = {f"photos/{n}.jpg": draw_picture(n) for n in range(3)}
    archive.write_bytes(lzma.compress(make_tar(files)))
    send(user_page, [archive])
    user_page.wait_for_url("**/jobs/*")
    job = api.wait_until_done(job_id_of(user_page.url))
    assert [row["path"] for row in api.rows(job["id"])] == list(files)


FIND_ARCHIVES = """async (bodies) => {
    const { findArchives } = await import("/static/upload/input/archives.js");
    const files = bodies.map((body) => ({ path: "photos.jpg", file: new File([Uint8Array.from(body)], "photos.jpg") }));
    await findArchives(files);
    return files.map(({ isArchive }) => isArchive === true);
}"""


def test_the_page_knows_the_archives_that_the_server_knows(user_page: Page) -> None:
    zipped = make_zip({"a.jpg": draw_picture()})
    archives = [
        zipped,
        b"MZ" + bytes(50_000) + zipped,
        b"#!/bin/sh\n" + zipped,
        make_old_tar(),
        bytes(1024),
        b"hsqs" + bytes(9),
    ]
    others = [draw_picture(), b"", b"MZ" + bytes(50_000), b"#!/bin/sh\n", bytes(100), b"BM a text" + bytes(600)]
    found = user_page.evaluate(FIND_ARCHIVES, [list(body) for body in archives + others])
    assert found == [True] * len(archives) + [False] * len(others)


def test_an_archive_that_is_not_unpacked_is_refused_by_name(user_page: Page, tmp_path: Path) -> None:
    archive = tmp_path / "photos.bin"
    archive.write_bytes(b"7z\xbc\xaf\x27\x1c" + bytes(3000))
    send(user_page, [archive])
    panel = user_page.locator("[data-panel]")
    expect(panel.locator('[data-part="message"]')).to_contain_text("7z archives are not supported")


def test_an_archive_is_sent_again_when_the_connection_is_lost(user_page: Page, api: Api, tmp_path: Path) -> None:
    archive = tmp_path / "photos.tar"
    files = {f"photos/{n}.jpg": draw_picture(n) for n in range(5)}
    archive.write_bytes(make_tar(files))
    intercept(user_page, "**/api/v1/archives?*", lambda route: route.abort("connectionreset"), times=2)
    send(user_page, [archive])
    user_page.wait_for_url("**/jobs/*")
    job = api.wait_until_done(job_id_of(user_page.url))
    assert [row["path"] for row in api.rows(job["id"])] == list(files)


def test_what_is_no_archive_halts_with_the_servers_words(user_page: Page, tmp_path: Path) -> None:
    archive = tmp_path / "broken.zip"
    archive.write_bytes(b"this is no zip")
    send(user_page, [archive])
    panel = user_page.locator("[data-panel]")
    expect(panel.locator('[data-part="sent-text"]')).to_contain_text("Interrupted")
    expect(panel.get_by_role("button", name="Resume")).to_be_visible()
    expect(panel.locator('[data-part="message"]')).not_to_be_empty()
