"""Saying by keys what pictures show, on the pages about labels: suspects, disagreements, what to label next."""

from uuid import UUID

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from core.base.database import Database
from core.base.states import LabelSource
from core.labels.labels import NewLabel, add_labels
from core.orm.accounts import User
from core.orm.labels import Label
from core.storage.blobs import Blobs
from tests.support.browser.furnished_site import finish_study
from tests.support.factories import make_job, make_labelled, make_upload, read_results, run_job

DATABASES = ("sqlite",)  # pages do not differ between databases

MARKED = ".tile.is-marked"


@pytest.fixture
def images(owner_page: Page, db: Database, blobs: Blobs) -> list[int]:
    """Six pictures: the first three are suspects, the others are wanted."""
    make_labelled(db, blobs)
    job: UUID = make_job(db, make_upload(db, blobs, n_files=6))
    run_job(db, job)
    found = [row.image_id for row in read_results(db, job)]
    with db.write() as session:
        add_labels(session, None, [NewLabel(image, "dog", LabelSource.FOLDER) for image in found[:3]])
    finish_study(db, found[:3], found[3:])
    return found


@pytest.fixture
def disagreed(images: list[int], db: Database) -> list[int]:
    """Of the first two pictures two people say different things."""
    with db.write() as session:
        for name, label in (("Ada", "cat"), ("Bob", "dog")):
            user = User(name=name)
            session.add(user)
            session.flush()
            add_labels(session, user.id, [NewLabel(image, label) for image in images[:2]])
    return images


def _said(page: Page, db: Database) -> list[tuple[int | None, str | None, str]]:
    expect(page.locator("[data-viewer]")).to_have_attribute("data-unsent", "0")
    with db.read() as session:
        people = Label.source != "folder"
        rows = session.execute(select(Label.image_id, Label.label, Label.source).where(people).order_by(Label.id))
        return [(row.image_id, row.label, row.source) for row in rows]


def _open(page: Page, path: str) -> None:
    page.goto(page.url.partition("/labels")[0].rstrip("/") + path)
    page.locator(MARKED).wait_for()


def _press(page: Page, key: str, then: str) -> None:
    page.keyboard.press(key)
    expect(page.locator("[data-said]")).to_have_text(then)


def test_suspects_are_mended_kept_and_taken_back_by_keys(owner_page: Page, db: Database, images: list[int]) -> None:
    _open(owner_page, "/labels/suspects")
    _press(owner_page, "m", "Labelled cat.")
    _press(owner_page, "k", "Labelled dog.")
    assert _said(owner_page, db) == [(images[0], "cat", "correction"), (images[1], "dog", "confirmation")]
    expect(owner_page.locator(MARKED)).to_have_attribute("data-say", str(images[2]))
    owner_page.keyboard.press("u")
    expect(owner_page.locator("[data-said]")).to_contain_text("Undone: ")
    assert _said(owner_page, db)[2:] == [(images[1], None, "confirmation")]
    expect(owner_page.locator(MARKED)).to_have_attribute("data-say", str(images[1]))


def test_disagreements_are_settled_by_keys(owner_page: Page, db: Database, disagreed: list[int]) -> None:
    _open(owner_page, "/labels/disagreements")
    before = _said(owner_page, db)
    first, second = (int(tile.get_attribute("data-say") or 0) for tile in owner_page.locator("[data-say]").all())
    owner_page.keyboard.press("ArrowRight")
    _press(owner_page, "n", "Labelled neither.")
    owner_page.keyboard.press("ArrowLeft")
    _press(owner_page, "c", "Labelled cat.")
    assert _said(owner_page, db)[len(before) :] == [(second, "neither", "correction"), (first, "cat", "correction")]


def test_labels_given_offline_arrive_once_the_server_is_back(owner_page: Page, db: Database, images: list[int]) -> None:
    _open(owner_page, "/labels/suspects")
    owner_page.context.set_offline(True)
    _press(owner_page, "m", "Labelled cat.")
    _press(owner_page, "k", "Labelled dog.")
    expect(owner_page.locator("main [data-label-trouble]")).to_contain_text("Your labels are kept in this browser")
    owner_page.context.set_offline(False)
    expect(owner_page.locator("main [data-label-trouble]")).to_be_hidden()
    assert [label for _, label, _ in _said(owner_page, db)] == ["cat", "dog"]


def test_a_key_says_nothing_of_a_picture_that_is_not_in_view(owner_page: Page, db: Database, images: list[int]) -> None:
    owner_page.set_viewport_size({"width": 800, "height": 500})
    _open(owner_page, "/labels")
    expect(owner_page.locator(MARKED)).not_to_be_in_viewport()
    owner_page.keyboard.press("d")
    expect(owner_page.locator(MARKED)).to_be_in_viewport()
    assert _said(owner_page, db) == []
    _press(owner_page, "d", "Labelled dog.")
    assert [label for _, label, _ in _said(owner_page, db)] == ["dog"]


def test_single_keys_that_were_switched_off_stay_off_on_every_page(
    owner_page: Page, db: Database, images: list[int]
) -> None:
    _open(owner_page, "/labels/suspects")
    owner_page.get_by_label("Use single-key shortcuts").uncheck()
    owner_page.keyboard.press("m")
    _open(owner_page, "/labels")
    expect(owner_page.get_by_label("Use single-key shortcuts")).not_to_be_checked()
    owner_page.locator(MARKED).scroll_into_view_if_needed()
    owner_page.keyboard.press("c")
    owner_page.get_by_role("button", name="Dog").first.click()
    expect(owner_page.locator("[data-said]")).to_have_text("Labelled dog.")
    assert [label for _, label, _ in _said(owner_page, db)] == ["dog"]
