"""Choosing many pictures in the grid, labelling them in one go, by mouse and by keyboard; taken back to any depth."""

from uuid import UUID

import pytest
from playwright.sync_api import Locator, Page, Route, expect
from sqlalchemy import select

from core.base.database import Database
from core.base.errors import ErrorCode
from core.labels.labels import NewLabel, add_labels
from core.orm.labels import Label
from core.orm.review import LabelBatch
from core.storage.blobs import Blobs
from tests.support.browser.chromium import intercept, show_pictures, wait_for
from tests.support.factories import make_job, make_upload, read_results, run_job

DATABASES = ("sqlite",)  # pages do not differ between databases
N = 40


@pytest.fixture
def job(db: Database, blobs: Blobs, site: str) -> UUID:
    """40 pictures: every tenth unsure, one broken, the others called cats."""
    job = make_job(db, make_upload(db, blobs, n_files=N, name="pets"))
    unsure = {f"photos/{n}.jpg": (0.4, 0.4) for n in range(0, N, 10)}
    run_job(db, job, unsure | {"photos/5.jpg": ErrorCode.TRUNCATED})
    return job


@pytest.fixture
def grid(owner_page: Page, site: str, job: UUID) -> Page:
    """The job's page, its pictures there."""
    owner_page.goto(f"{site}/jobs/{job}")
    show_pictures(owner_page)
    owner_page.locator(".grid--placed .tile").nth(3).wait_for()
    return owner_page


def box(page: Page, n: int) -> Locator:
    return page.get_by_label(f"Select photos/{n}.jpg", exact=True)


def said(page: Page, words: str) -> None:
    expect(page.locator('[data-choose] [data-field="said"]')).to_have_text(words)


def words(db: Database, job: UUID) -> list[str | None]:
    return [row.human_label for row in read_results(db, job)]


def test_pictures_from_one_click_to_another_get_a_label_and_lose_it_again(grid: Page, db: Database, job: UUID) -> None:
    box(grid, 1).check(force=True)
    grid.locator('[aria-posinset="8"] .tile__picture').click(modifiers=["Shift"])
    expect(grid.locator('[data-field="chosen"]')).to_have_text("6 of 40 selected")  # one of seven is broken
    grid.locator('[aria-posinset="3"] .tile__picture').click()  # while some are chosen, a click chooses
    expect(grid.locator('[data-field="chosen"]')).to_have_text("5 of 40 selected")
    grid.get_by_role("button", name="Dog", exact=True).click()
    said(grid, "5 pictures labelled: Dog.")
    expect(grid.locator('[aria-posinset="2"] .tile__label')).to_contain_text("Dog")
    assert [n for n, word in enumerate(words(db, job)) if word == "dog"] == [1, 3, 4, 6, 7]
    grid.get_by_role("button", name="Undo").click()
    said(grid, "5 labels undone.")
    assert set(words(db, job)) == {None}
    expect(grid.get_by_role("button", name="Undo")).to_be_disabled()


def test_all_that_is_probably_neither_is_labelled_so_after_a_question_with_the_number(
    owner_page: Page, site: str, db: Database, blobs: Blobs
) -> None:
    job = make_job(db, make_upload(db, blobs, n_files=6, name="pets"))
    run_job(db, job, {f"photos/{n}.jpg": (0.1, 0.1) for n in range(4)} | {"photos/4.jpg": (0.5, 0.4)})
    with db.write() as session:
        add_labels(session, None, [NewLabel(read_results(db, job)[0].image_id, "dog")])
    owner_page.goto(f"{site}/jobs/{job}?neither=probable")
    owner_page.get_by_role("button", name="Label all 4 “neither”").click()
    asked = owner_page.get_by_role("dialog", name="Label all 4 pictures “neither”?")
    expect(asked).to_contain_text("they show neither a cat nor a dog")
    asked.get_by_role("button", name="Label 4").click()
    said(owner_page, "3 pictures confirmed. 1 skipped: unsure, or already labelled by people.")
    assert words(db, job) == ["dog", "neither", "neither", "neither", None, None]


def test_confirming_all_asks_with_the_number_and_confirms_what_the_model_shows(
    grid: Page, db: Database, job: UUID
) -> None:
    grid.get_by_role("button", name="Confirm all 40").click()
    asked = grid.get_by_role("dialog", name="Confirm the model’s labels of all 40 pictures?")
    asked.get_by_role("button", name="Cancel").click()
    expect(grid.locator('[data-choose] [data-field="said"]')).to_be_empty()
    grid.get_by_role("button", name="Confirm all 40").click()
    asked.get_by_role("button", name="Confirm 40").click()
    said(grid, "35 pictures confirmed. 4 skipped: unsure, or already labelled by people.")
    with db.read() as session:
        assert {row.source for row in session.scalars(select(Label))} == {"confirmation"}
        assert session.scalars(select(LabelBatch)).one().is_whole
    expect(grid.locator('[data-field="review-counts"]')).to_contain_text("People have labelled 35 of 39 pictures")


def test_all_of_a_filter_but_some_are_labelled(grid: Page, site: str, db: Database, job: UUID) -> None:
    grid.goto(f"{site}/jobs/{job}?label=unsure")
    show_pictures(grid)
    grid.locator(".grid--placed .tile").nth(3).wait_for()
    grid.get_by_role("button", name="Select all").click()
    box(grid, 20).uncheck(force=True)
    expect(grid.locator('[data-field="chosen"]')).to_have_text("3 of 4 selected")
    grid.get_by_role("button", name="Neither", exact=True).click()
    said(grid, "3 pictures labelled: Neither.")
    assert [n for n, word in enumerate(words(db, job)) if word == "neither"] == [0, 10, 30]
    with db.read() as session:
        assert not session.scalars(select(LabelBatch)).one().is_whole


def test_everything_can_be_done_by_keyboard(grid: Page, db: Database, job: UUID) -> None:
    grid.locator('[data-place="1"]').focus()
    grid.keyboard.press("d")  # the one that has the focus
    said(grid, "1 picture labelled: Dog.")
    grid.keyboard.press("x")
    grid.keyboard.press("Shift+ArrowRight")
    grid.keyboard.press("Shift+ArrowRight")
    expect(grid.locator('[data-field="chosen"]')).to_have_text("3 of 40 selected")
    grid.keyboard.press("n")
    said(grid, "3 pictures labelled: Neither.")
    grid.keyboard.press("a")
    expect(grid.locator('[data-field="chosen"]')).to_have_text("40 of 40 selected")
    grid.keyboard.press("y")
    said(grid, "32 pictures confirmed. 7 skipped: unsure, or already labelled by people.")
    assert words(db, job)[:5] == [None, "neither", "neither", "neither", "cat"]
    for sentence in ("32 labels undone.", "3 labels undone.", "1 label undone."):
        grid.keyboard.press("u")
        said(grid, sentence)
    assert set(words(db, job)) == {None}
    grid.keyboard.press("x")
    grid.keyboard.press("Escape")
    expect(grid.locator(".is-chosen")).to_have_count(0)
    grid.keyboard.press("?")
    expect(grid.get_by_role("dialog")).to_be_visible()


def test_pictures_between_two_that_nobody_has_scrolled_to_are_chosen_as_well(
    owner_page: Page, site: str, db: Database, blobs: Blobs
) -> None:
    many = make_job(db, make_upload(db, blobs, n_files=230, name="many"))
    run_job(db, many)
    owner_page.goto(f"{site}/jobs/{many}")
    show_pictures(owner_page)
    owner_page.locator('[aria-posinset="2"] [data-check]').check(force=True)
    owner_page.keyboard.press("End")
    owner_page.locator('[aria-posinset="229"] .tile__picture').click(modifiers=["Shift"])
    expect(owner_page.locator('[data-field="chosen"]')).to_have_text("228 of 230 selected")
    owner_page.get_by_role("button", name="The model is right").click()
    said(owner_page, "228 pictures confirmed.")
    assert [n for n, word in enumerate(words(db, many)) if word is None] == [0, 229]


def test_what_was_begun_is_finished_by_the_next_page(grid: Page, db: Database, job: UUID) -> None:
    """The connection is lost after the server has taken the first call, and the page is closed."""

    tried: list[Route] = []

    def lose(route: Route) -> None:
        tried.append(route)
        if len(tried) == 1:  # the second try is never answered
            route.fetch()
            route.abort()

    intercept(grid, "**/labels", lose)
    grid.on("dialog", lambda dialog: dialog.accept())
    grid.keyboard.press("a")
    grid.keyboard.press("c")
    expect(grid.locator('[data-choose] [data-field="said"]')).to_contain_text("not responding")
    wait_for(grid, lambda: len(tried) == 2, "the second try")
    grid.unroute("**/labels")
    grid.reload()
    said(grid, "Labels from an earlier page are now complete.")
    assert words(db, job).count("cat") == 39
    grid.keyboard.press("u")
    said(grid, "39 labels undone.")


def test_a_job_at_work_offers_no_all(owner_page: Page, site: str, db: Database, blobs: Blobs) -> None:
    job = make_job(db, make_upload(db, blobs, n_files=4, is_complete=False))
    run_job(db, job)
    owner_page.goto(f"{site}/jobs/{job}")
    show_pictures(owner_page)
    owner_page.locator(".grid--placed .tile").nth(3).wait_for()
    expect(owner_page.get_by_role("button", name="Keys")).to_be_visible()
    expect(owner_page.get_by_role("button", name="Confirm all")).to_be_hidden()


def test_a_view_without_pictures_offers_no_all(grid: Page, site: str, job: UUID) -> None:
    expect(grid.get_by_role("button", name="Confirm all")).to_be_visible()
    grid.goto(f"{site}/jobs/{job}?path=nothing-like-it")
    expect(grid.get_by_text("No pictures match these filters.")).to_be_visible()
    expect(grid.get_by_role("button", name="Keys")).to_be_visible()
    for name in ("Confirm all", "Select all"):
        expect(grid.get_by_role("button", name=name)).to_be_hidden()


def test_unsure_pictures_are_not_offered_for_confirmation(grid: Page, site: str, job: UUID) -> None:
    grid.goto(f"{site}/jobs/{job}?label=unsure")
    expect(grid.get_by_role("button", name="Select all")).to_be_visible()
    expect(grid.get_by_role("button", name="Confirm all")).to_be_hidden()


@pytest.mark.parametrize("width", [390, 800, 1000, 1280])
def test_how_many_are_selected_stands_in_one_line_in_any_window(grid: Page, width: int) -> None:
    grid.set_viewport_size({"width": width, "height": 900})
    box(grid, 1).check(force=True)
    words = grid.locator('[data-choose] [data-field="chosen"]')
    expect(words).to_have_text("1 of 40 selected")
    shown = words.bounding_box()
    assert shown is not None
    assert shown["height"] < 40


@pytest.mark.parametrize("width", [390, 800])
def test_a_name_of_three_words_is_shown_whole(
    owner_page: Page, site: str, db: Database, blobs: Blobs, width: int
) -> None:
    job = make_job(db, make_upload(db, blobs, n_files=4, is_complete=False, name="Summer at the lake"))
    owner_page.set_viewport_size({"width": width, "height": 900})
    owner_page.goto(f"{site}/jobs/{job}")
    name = owner_page.get_by_role("heading", name="Summer at the lake")
    assert name.evaluate("(one) => one.scrollWidth <= one.clientWidth && one.scrollHeight <= one.clientHeight + 1")
