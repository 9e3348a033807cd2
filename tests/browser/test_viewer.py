"""The large view: labelling, zooming and moving in it, and what the page behind it and the address show."""

from uuid import UUID

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from core.base.database import Database
from core.base.states import LabelSource
from core.labels.labels import NewLabel, add_labels
from core.orm.uploads import Image
from core.storage.blobs import Blobs
from core.training import near_duplicates
from tests.support.browser.chromium import OpenContext, intercept, show_pictures
from tests.support.browser.furnished_site import finish_study
from tests.support.browser.login import log_in_as
from tests.support.factories import draw_picture, make_job, make_labelled, make_upload, read_results, run_job

DATABASES = ("sqlite",)  # pages do not differ between databases

N = 8
SENT = '[data-viewer][data-unsent="0"]'


@pytest.fixture
def job(db: Database, blobs: Blobs, site: str) -> UUID:
    """Eight pictures: one of 2,500 pixels, one unsure, the others called cats."""
    files = {f"photos/{n}.jpg": draw_picture(n) for n in range(N)} | {"photos/0.jpg": draw_picture(0, (2500, 40))}
    job = make_job(db, make_upload(db, blobs, files, name="pets"))
    run_job(db, job, {"photos/3.jpg": (0.4, 0.4)})
    return job


@pytest.fixture
def grid(owner_page: Page, site: str, job: UUID) -> Page:
    """The job's page, its pictures there."""
    owner_page.goto(f"{site}/jobs/{job}")
    show_pictures(owner_page)
    return owner_page


def view(page: Page, place: int) -> None:
    """Open a picture of the grid."""
    page.locator(f'[data-place="{place}"]').click()
    expect(page.locator(".viewer .zoom__frame img")).to_have_js_property("complete", True)


def shows(page: Page, n: int) -> None:
    expect(page.locator('.viewer [data-field="name"]')).to_have_text(f"{n}.jpg")


def said(page: Page, sentence: str) -> None:
    expect(page.locator('.viewer [data-field="said"]')).to_have_text(sentence)


def words(db: Database, job: UUID) -> list[str | None]:
    return [row.human_label for row in read_results(db, job)]


def test_five_are_labelled_by_keys_without_a_page_load_and_closing_leads_back(
    grid: Page, site: str, db: Database, job: UUID
) -> None:
    grid.evaluate("window.isSame = true")
    view(grid, 1)
    for key, sentence in (("d", "Dog: 1.jpg"), ("Enter", "Cat: 2.jpg")):
        grid.keyboard.press(key)
        said(grid, sentence)
    grid.keyboard.press("Enter")
    said(grid, "The model is unsure about this picture. Choose a label.")
    shows(grid, 3)
    grid.get_by_role("button", name="Neither").click()
    for key in "cu":
        grid.keyboard.press(key)
    said(grid, "Undone: 4.jpg")
    shows(grid, 4)
    expect(grid).to_have_url(f"{site}/jobs/{job}/images/{read_results(db, job)[4].image_id}")
    grid.locator(SENT).wait_for(state="attached")
    assert words(db, job) == [None, "dog", "cat", "neither", *[None] * 4]
    grid.keyboard.press("Escape")
    expect(grid).to_have_url(f"{site}/jobs/{job}")
    expect(grid.locator('[data-place="4"]')).to_be_focused()
    expect(grid.locator('[aria-posinset="2"] .tile__label')).to_have_text("Dogby people")
    expect(grid.locator('[aria-posinset="5"] .tile__label')).to_contain_text("Cat")
    expect(grid.locator('[data-field="review-counts"]')).to_contain_text("labelled 3 of 8 pictures")
    assert grid.evaluate("window.isSame")


def test_five_unsure_pictures_are_corrected_in_eight_actions_without_a_page_load(
    owner_page: Page, site: str, db: Database, blobs: Blobs
) -> None:
    unsure = make_job(db, make_upload(db, blobs, n_files=40, name="unsure"))
    run_job(db, unsure, {f"photos/{n}.jpg": (0.4, 0.4) for n in range(10, 40, 2)})
    owner_page.goto(f"{site}/jobs/{unsure}")
    loads: list[str] = []
    owner_page.on("request", lambda request: request.is_navigation_request() and loads.append(request.url))
    owner_page.locator('.tally__item[data-label="unsure"]').click()
    expect(owner_page.locator(".tile").first).to_contain_text("10.jpg")
    owner_page.locator('[data-place="0"]').click()
    shows(owner_page, 10)
    for n, key in enumerate("cdncd"):
        owner_page.keyboard.press(key)
        shows(owner_page, 12 + 2 * n)
    owner_page.keyboard.press("Escape")
    expect(owner_page).to_have_url(f"{site}/jobs/{unsure}?label=unsure")
    expect(owner_page.locator('[data-place="5"]')).to_be_focused()
    owner_page.locator(SENT).wait_for(state="attached")
    assert words(db, unsure)[10:20:2] == ["cat", "dog", "neither", "cat", "dog"]
    assert loads == []


def test_back_closes_it_forward_opens_it_and_the_address_is_a_page_of_its_own(grid: Page) -> None:
    view(grid, 1)
    grid.keyboard.press("ArrowRight")
    shows(grid, 2)
    grid.go_back()
    expect(grid.get_by_role("dialog")).to_be_hidden()
    grid.go_forward()
    shows(grid, 2)
    grid.reload()
    expect(grid.get_by_role("heading", name="2.jpg")).to_be_visible()
    grid.get_by_role("link", name="All pictures of this job").click()
    expect(grid.locator("[data-grid]")).to_be_visible()


def test_zooming_loads_a_sharper_picture_and_keys_move_it(grid: Page) -> None:
    view(grid, 0)
    image = grid.locator(".viewer .zoom__frame img")
    expect(image).to_have_js_property("naturalWidth", 2048)  # the stage is 1,280 pixels wide
    width = image.bounding_box()
    grid.keyboard.press("z")
    expect(image).to_have_js_property("naturalWidth", 2500)  # never enlarged
    left = image.bounding_box()
    assert width is not None
    assert left is not None
    assert left["width"] == pytest.approx(2.5 * width["width"])
    grid.keyboard.press("ArrowRight")
    moved = image.bounding_box()
    assert moved is not None
    assert moved["x"] < left["x"]
    shows(grid, 0)
    grid.keyboard.press("z")
    grid.keyboard.press("ArrowRight")
    shows(grid, 1)


def test_the_wheel_zooms_about_the_pointer_and_a_drag_moves(grid: Page) -> None:
    view(grid, 1)
    frame = grid.locator(".viewer .zoom__frame")
    before = frame.bounding_box()
    assert before is not None
    x, y = before["x"] + before["width"] / 4, before["y"] + before["height"] / 2
    grid.mouse.move(x, y)
    grid.mouse.wheel(0, -1000)
    expect(grid.locator(".zoom.is-zoomed")).to_be_visible()
    after = frame.bounding_box()
    assert after is not None
    assert (x - after["x"]) / after["width"] == pytest.approx(0.25, abs=0.01)
    grid.mouse.down()
    grid.mouse.move(x + 50, y + 30)
    grid.mouse.up()
    moved = frame.bounding_box()
    assert moved is not None
    assert (moved["x"] - after["x"], moved["y"] - after["y"]) == pytest.approx((50, 30), abs=1)


def test_on_a_phone_a_swipe_shows_the_next_picture_and_two_fingers_enlarge_it(
    open_context: OpenContext, site: str, db: Database, job: UUID
) -> None:
    page = open_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True).new_page()
    log_in_as(page, site, db)
    page.goto(f"{site}/jobs/{job}")
    view(page, 1)
    _touch(page, [(300, 400)], [(100, 400)])
    shows(page, 2)
    _touch(page, [(150, 400), (250, 400)], [(100, 400), (300, 400)])
    expect(page.locator(".zoom.is-zoomed")).to_be_visible()
    _touch(page, [(300, 400)], [(100, 400)])  # moves the enlarged picture
    shows(page, 2)


def _touch(page: Page, start: list[tuple[int, int]], end: list[tuple[int, int]]) -> None:
    """Put fingers down, move them, and lift them."""
    devtools = page.context.new_cdp_session(page)
    for kind, fingers in (("touchStart", start), ("touchMove", end), ("touchEnd", [])):
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(fingers)]
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    devtools.detach()


def test_labels_given_without_a_connection_are_sent_later_each_once(grid: Page, db: Database, job: UUID) -> None:
    is_down = True
    intercept(grid, "**/api/v1/labels", lambda route: route.abort() if is_down else route.continue_())
    view(grid, 0)
    for key in "cdn":
        grid.keyboard.press(key)
    expect(grid.locator("dialog").get_by_text("Your labels are kept in this browser")).to_be_visible()
    assert words(db, job) == [None] * N
    is_down = False
    grid.locator(SENT).wait_for(state="attached")
    assert words(db, job) == ["cat", "dog", "neither", *[None] * 5]
    expect(grid.locator("dialog").get_by_text("Your labels are kept in this browser")).to_be_hidden()


def test_suspects_open_in_it_and_enter_keeps_the_label(
    owner_page: Page, site: str, db: Database, blobs: Blobs, job: UUID
) -> None:
    make_labelled(db, blobs)
    images = [row.image_id for row in read_results(db, job)]
    with db.write() as session:
        add_labels(session, None, [NewLabel(image, "dog", LabelSource.FOLDER) for image in images[:3]])
    finish_study(db, images[:3], images[3:])
    owner_page.goto(f"{site}/labels/suspects")
    owner_page.locator(".tile__picture").first.click()
    expect(owner_page.locator('.viewer [data-field="words"]')).to_have_text("Labelled dog · probably cat (90 %)")
    owner_page.keyboard.press("Enter")
    said(owner_page, "Dog: 0.jpg")
    owner_page.keyboard.press("c")
    said(owner_page, "Cat: 1.jpg")
    expect(owner_page).to_have_url(f"{site}/labels/suspects#picture-{images[2]}")
    owner_page.locator(SENT).wait_for(state="attached")
    assert words(db, job)[:3] == ["dog", "cat", "dog"]
    owner_page.go_back()
    expect(owner_page.locator(".tile[data-done]")).to_have_count(2)
    expect(owner_page.locator(".tile__picture").nth(2)).to_be_focused()


def test_two_near_duplicates_are_moved_and_labelled_together(
    owner_page: Page, site: str, db: Database, job: UUID
) -> None:
    with db.write() as session:
        alike = list(
            session.scalars(select(Image.sha256).where(Image.path.in_([f"photos/{n}.jpg" for n in (0, 1, 2)])))
        )
        near_duplicates.record_groups(session, alike, [(alike[0], alike[1]), (alike[1], alike[2])])
    owner_page.goto(f"{site}/labels/twins")
    owner_page.locator(".tile__picture").first.click()
    pair = owner_page.get_by_role("dialog")
    expect(pair).to_contain_text("2,500 × 40 pixels")
    expect(pair).to_contain_text("64 × 48 pixels")
    owner_page.keyboard.press("z")
    expect(pair.locator(".zoom.is-zoomed")).to_have_count(2)
    owner_page.keyboard.press("d")
    expect(pair.locator('[data-field="said"]')).to_have_text("Dog: 0.jpg and 1.jpg")
    expect(pair).to_contain_text("1 and 3 of 3")
    pair.get_by_role("group", name="on the right").get_by_role("button", name="Cat").click()
    owner_page.locator('[data-pair][data-unsent="0"]').wait_for()
    assert words(db, job)[:3] == ["dog", "dog", "cat"]
    owner_page.keyboard.press("u")
    owner_page.keyboard.press("u")
    expect(pair.locator('[data-field="said"]')).to_have_text("Undone: 0.jpg")
    owner_page.locator('[data-pair][data-unsent="0"]').wait_for()
    assert words(db, job)[:3] == [None, None, None]
    owner_page.keyboard.press("Escape")
    expect(pair).to_be_hidden()
    expect(owner_page).to_have_url(f"{site}/labels/twins")
