"""A sorted zip taken from a job's page, rearranged on the disk, and brought back by the page: as a folder, as a zip."""

import shutil
import zipfile
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from core.base.database import Database
from core.storage.blobs import Blobs
from tests.support.browser.chromium import drop
from tests.support.factories import draw_picture, make_job, make_upload, read_results, run_job

DATABASES = ("sqlite",)  # pages do not differ between databases

SAID = {"trip/1.jpg": (0.95, 0.01), "trip/2.jpg": (0.1, 0.9), "trip/3.jpg": (0.5, 0.4)}


@pytest.fixture
def job(app: object, db: Database, blobs: Blobs) -> UUID:
    """A cat, a dog, one unsure."""
    job = make_job(db, make_upload(db, blobs, {path: draw_picture(n) for n, path in enumerate(SAID)}, name="trip"))
    run_job(db, job, SAID)
    return job


def _take_and_rearrange(page: Page, job: UUID, folder: Path) -> None:
    """The cat is a dog; the unsure one shows neither, under another name."""
    page.goto(f"{page.url.partition('/jobs/')[0].rstrip('/')}/jobs/{job}")
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Pictures (ZIP)").click()
    with zipfile.ZipFile(downloading.value.path()) as archive:
        archive.extractall(folder)
    for before, now in (("cat/trip/1.jpg", "dog/trip/1.jpg"), ("unsure/trip/3.jpg", "neither/a toad.jpg")):
        (folder / now).parent.mkdir(parents=True, exist_ok=True)
        (folder / before).rename(folder / now)
    page.get_by_role("link", name="Import corrections").click()
    expect(page.get_by_role("button", name="Choose the folder")).to_be_visible()  # its script is there


def _words(db: Database, job: UUID) -> list[str | None]:
    return [row.human_label for row in read_results(db, job)]


@pytest.mark.parametrize("way", ["dropped folder", "chosen folder", "dropped zip", "plain http"])
def test_what_was_rearranged_on_the_disk_becomes_labels(
    request: pytest.FixtureRequest, db: Database, job: UUID, tmp_path: Path, way: str
) -> None:
    page: Page = request.getfixturevalue("plain_http_page" if way == "plain http" else "owner_page")
    folder = tmp_path / "sorted"
    _take_and_rearrange(page, job, folder)
    if way == "chosen folder":
        with page.expect_file_chooser() as choosing:
            page.get_by_role("button", name="Choose the folder").click()
        choosing.value.set_files(folder)
    elif way == "dropped zip":
        drop(page, [Path(shutil.make_archive(str(tmp_path / "again"), "zip", folder))])
    else:
        drop(page, [folder])
    plan = page.locator("[data-plan]")
    expect(plan.get_by_role("status")).to_have_text("2 pictures would change")
    expect(plan).to_contain_text("1 unsure → neither")
    expect(plan).to_contain_text("Compared with the labels of")
    expect(plan).to_contain_text("1 picture: not moved, or the folder agrees with the label")
    assert _words(db, job) == [None, None, None]
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("[data-applied]").get_by_role("status")).to_have_text("2 pictures labelled")
    assert _words(db, job) == ["dog", None, "neither"]
    page.get_by_role("button", name="Undo these labels").click()
    expect(page.get_by_text("2 labels undone.")).to_be_visible()
    assert _words(db, job) == [None, None, None]
