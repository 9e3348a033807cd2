"""The page of a job: pictures at once, filters without a page load, back where one was, a frame around pictures."""

import re
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from core.base.database import Database
from core.storage.blobs import Blobs
from tests.support.browser.chromium import drop, start_sending
from tests.support.browser.folder_trees import make_tree
from tests.support.factories import make_job, make_upload, run_job

DATABASES = ("sqlite",)  # pages do not differ between databases
N = 150
SIZES = ((1280, 800), (800, 1000), (390, 844))
MOST_PRESSES = 5
FOCUSED = "() => document.activeElement.closest('.tile')?.getAttribute('aria-posinset')"
PLACE = "() => document.querySelector('.grid--placed')?.getBoundingClientRect().top"
IS_AT = f"(place) => Math.abs(({PLACE})() - place) < 2"


@pytest.fixture
def job(db: Database, blobs: Blobs, site: str) -> UUID:
    """150 pictures, every third of them a dog, every tenth unsure."""
    job = make_job(db, make_upload(db, blobs, n_files=N, name="pets"))
    dogs = {f"photos/{n}.jpg": (0.1, 0.9) for n in range(0, N, 3)}
    run_job(db, job, dogs | {f"photos/{n}.jpg": (0.4, 0.4) for n in range(0, N, 10)})
    return job


@pytest.fixture
def grid(owner_page: Page, site: str, job: UUID) -> Page:
    """The page of the job, its pictures there."""
    owner_page.goto(f"{site}/jobs/{job}")
    owner_page.locator(".grid--placed .tile").nth(3).wait_for()
    return owner_page


def _shown(page: Page, n: int) -> None:
    expect(page.locator('[data-field="shown"]')).to_have_text(f"{n} files shown")


def test_the_first_picture_is_in_view_at_every_width(grid: Page) -> None:
    for width, height in SIZES:
        grid.set_viewport_size({"width": width, "height": height})
        expect(grid.locator('[aria-posinset="1"]')).to_be_in_viewport(ratio=1)
        assert grid.evaluate("scrollY") == 0


def test_five_presses_lead_to_the_first_picture(grid: Page) -> None:
    for _ in range(2):
        grid.keyboard.press("Tab")
    expect(grid.get_by_role("link", name="Skip to the pictures")).to_be_focused()
    grid.keyboard.press("Enter")
    grid.keyboard.press("Tab")
    assert grid.evaluate(FOCUSED) == "1"


def test_a_filter_changes_pictures_and_address_without_a_page_load_and_back_leads_back(grid: Page, job: UUID) -> None:
    grid.evaluate("window.isSame = true")
    grid.evaluate("scrollTo(0, 1500)")
    place = grid.evaluate(PLACE)
    grid.get_by_role("link", name="15 Unsure").click()
    _shown(grid, 15)
    assert grid.url.endswith(f"/jobs/{job}?label=unsure")
    expect(grid.locator('[aria-posinset="1"]')).to_be_in_viewport(ratio=1)
    expect(grid.get_by_role("link", name="15 Unsure")).to_have_attribute("aria-current", "true")
    grid.get_by_label("File or folder name contains").fill("0.jpg")
    grid.get_by_label("Order").select_option("Lowest confidence first")
    expect(grid).to_have_url(grid.url.split("?")[0] + "?label=unsure&path=0.jpg&sort=confidence")
    tables = grid.locator("[data-while-filtered] a")
    expect(tables.first).to_have_attribute(
        "href", re.compile(r"export\.csv\?bom=1&label=unsure&path=0\.jpg&sort=confidence$")
    )
    grid.get_by_role("link", name="Show all").first.click()
    _shown(grid, N)
    for _ in range(3):
        grid.go_back()
    grid.wait_for_function(IS_AT, arg=place)
    assert grid.url.endswith(f"/jobs/{job}")
    _shown(grid, N)
    grid.go_forward()
    _shown(grid, 15)
    assert grid.evaluate("window.isSame") is True


def test_coming_back_from_a_picture_leads_to_the_place(grid: Page, site: str) -> None:
    grid.evaluate("scrollTo(0, 1500)")
    tile = grid.locator('[aria-posinset="36"]')
    tile.wait_for()
    place = grid.evaluate(PLACE)
    address = tile.locator("a").get_attribute("href")
    for goes_back in (False, True):
        grid.goto(f"{site}{address}")
        link = grid.get_by_role("link", name="All pictures of this job")
        link.wait_for()
        grid.go_back() if goes_back else link.click()
        grid.wait_for_function(IS_AT, arg=place)


def test_a_frame_selects_what_it_touches_and_shift_adds(grid: Page) -> None:
    boxes = [grid.locator(f'[aria-posinset="{n}"]').bounding_box() for n in (1, 2, 3)]
    first, second, third = [box for box in boxes if box is not None]

    def drag(start: tuple[float, float], end: tuple[float, float]) -> None:
        grid.mouse.move(*start)
        grid.mouse.down()
        grid.mouse.move(*end, steps=4)
        grid.mouse.up()

    drag((first["x"] + 70, first["y"] + 70), (second["x"] + 70, second["y"] + 80))
    expect(grid.locator('[data-field="chosen"]')).to_have_text(f"2 of {N} selected")
    grid.keyboard.down("Shift")
    drag((third["x"] + 70, third["y"] + 70), (third["x"] + 90, third["y"] + 90))
    grid.keyboard.up("Shift")
    expect(grid.locator('[data-field="chosen"]')).to_have_text(f"3 of {N} selected")
    bar, tile = grid.locator("[data-choose]").bounding_box(), grid.locator('[aria-posinset="1"]').bounding_box()
    assert bar is not None
    assert tile is not None
    assert bar["y"] + bar["height"] <= tile["y"]
    drag((second["x"] + 70, second["y"] + 70), (second["x"] + 90, second["y"] + 90))
    expect(grid.locator('[data-field="chosen"]')).to_have_text(f"1 of {N} selected")
    assert grid.url.count("/images/") == 0


def test_without_javascript_the_tools_are_below_the_pictures(plain_page: Page, site: str, job: UUID) -> None:
    plain_page.set_viewport_size({"width": 390, "height": 844})
    plain_page.goto(f"{site}/jobs/{job}")
    expect(plain_page.locator(".tile").first).to_be_in_viewport(ratio=1)
    plain_page.get_by_role("link", name="Filter and tools", exact=True).click()
    plain_page.get_by_label("File or folder name contains").fill("77.jpg")
    plain_page.get_by_role("button", name="Show").click()
    expect(plain_page.locator(".tile")).to_have_count(1)


def test_a_folder_dropped_on_the_page_of_a_job_is_uploaded(grid: Page, job: UUID, tmp_path: Path, db: Database) -> None:
    make_tree(tmp_path / "more", 3, depth=1)
    drop(grid, [tmp_path / "more"])
    expect(grid.get_by_role("region", name="more")).to_be_in_viewport()
    start_sending(grid)
    expect(grid.get_by_role("heading", name="more", exact=True)).to_be_visible()
    grid.wait_for_url(lambda address: "/jobs/" in address and str(job) not in address)


def test_on_paper_pictures_and_names_remain_and_nothing_to_press(grid: Page) -> None:
    grid.emulate_media(media="print")
    assert grid.locator("button:visible, select:visible, nav:visible").count() == 0
    boxes = [grid.locator(f'[aria-posinset="{n}"]').bounding_box() for n in (1, 5)]
    first, fifth = [box for box in boxes if box is not None]
    assert fifth["y"] > first["y"]  # four in a row, whatever the script has placed
    assert fifth["x"] == first["x"]
    between = (
        "(tile) => tile.querySelector('.tile__text').offsetTop - tile.querySelector('.tile__picture').offsetHeight"
    )
    assert grid.locator('[aria-posinset="1"]').evaluate(between) < 10  # however high the tiles beside it are


def test_the_theme_is_chosen_kept_and_there_from_the_first_byte(grid: Page, plain_page: Page) -> None:
    ground = "() => getComputedStyle(document.body).backgroundColor"
    light = grid.evaluate(ground)
    for words in ("Theme: system. Switch to light", "Theme: light. Switch to dark"):
        grid.get_by_role("button", name=words).click()
    assert grid.evaluate(ground) != light
    answer = grid.reload()
    assert answer is not None
    assert 'data-theme="dark"' in answer.text()
    plain_page.get_by_role("button", name="Switch to light").click()
    expect(plain_page.locator("html")).to_have_attribute("data-theme", "light")


def test_no_word_of_a_download_is_cut_beside_the_pictures(grid: Page, site: str, job: UUID) -> None:
    grid.goto(f"{site}/jobs/{job}?label=cat")
    buttons = grid.locator(".downloads .button")
    expect(buttons.nth(5)).to_be_visible()
    assert buttons.evaluate_all("(all) => all.filter((one) => one.scrollWidth > one.clientWidth + 1).length") == 0
