"""Reviewing by keyboard, by two people, without connection, blind, and without JavaScript."""

import re
import time
from collections import Counter
from uuid import UUID

import pytest
from playwright.sync_api import APIResponse, BrowserContext, Page, Route, expect
from sqlalchemy import update

from core.base.clock import db_now
from core.base.database import Database
from core.orm.labels import Label
from core.orm.review import ReviewClaim
from core.review import review_progress
from core.storage.blobs import Blobs
from tests.support.browser.chromium import intercept, wait_for
from tests.support.browser.page_clock import n_asked, take_time, turn
from tests.support.deadlines import within
from tests.support.factories import draw_picture, make_job, make_upload, read_results, run_job

DATABASES = ("sqlite",)  # pages do not differ between databases

N = 24
N_AT_HAND = 18  # of these, by one who is alone: the others are left for the next reviewer
MANY = 60
UNDONE = 5
LABELS = "/api/v1/labels"
NOTE_AN_END = """() => {
  window.hasEnded = false;
  new MutationObserver(() => { hasEnded ||= document.body.innerText.includes("Nothing left to review"); })
    .observe(document.body, { subtree: true, childList: true, attributes: true });
}"""


def make_pets(db: Database, blobs: Blobs, n_files: int) -> UUID:
    """A third of them unsure, in an order that is not that of the upload."""
    job = make_job(db, make_upload(db, blobs, n_files=n_files, name="pets"))
    unsure = {f"photos/{n}.jpg": (0.3, 0.4 + n / 200) for n in range(0, n_files, 3)}
    run_job(db, job, {f"photos/{n}.jpg": (0.8 + n / 400, 0.01) for n in range(n_files)} | unsure)
    return job


@pytest.fixture
def job(db: Database, blobs: Blobs, site: str) -> UUID:
    """24 pictures, 8 of them unsure."""
    return make_pets(db, blobs, N)


@pytest.fixture
def review(owner_page: Page, site: str, job: UUID) -> Page:
    """The review page, ready for keys."""
    return open_review(owner_page, site, job)


def open_review(page: Page, site: str, job: UUID) -> Page:
    page.goto(f"{site}/jobs/{job}/review")
    wait_until_ready(page)
    return page


def wait_until_ready(page: Page) -> None:
    page.locator("[data-review][data-ready]").wait_for()


def said(db: Database) -> list[Label]:
    with db.read() as session:
        return list(session.query(Label).order_by(Label.id))


def words(db: Database, job: UUID) -> Counter[str | None]:
    return Counter(row.human_label for row in read_results(db, job))


def wait_until_sent(page: Page) -> None:
    page.locator('[data-review][data-unsent="0"]').wait_for()


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def label(page: Page, *keys: str) -> None:
    """Press a key for each of as many pictures, as somebody does who looks at them."""
    for key in keys:
        expect(page.locator(".review__stage img")).to_be_visible()
        page.keyboard.press(key)


def path_of(page: Page) -> str:
    return page.locator('[data-field="path"]').text_content() or ""


def test_sixty_pictures_are_reviewed_by_keyboard_with_five_undone(
    owner_page: Page, site: str, db: Database, blobs: Blobs
) -> None:
    job = make_pets(db, blobs, MANY)
    review = open_review(owner_page, site, job)
    began_at = time.monotonic()
    for n in range(MANY):
        label(review, "c" if n % 2 else "d")
    press(review, *["u"] * UNDONE)
    wait_until_sent(review)
    assert time.monotonic() - began_at < within(60)
    assert words(db, job) == {"cat": 27, "dog": 28, None: UNDONE}
    history = said(db)
    assert len(history) == MANY + UNDONE
    assert [row.label for row in history[MANY:]] == [None] * UNDONE
    assert [row.undoes_id for row in history[MANY:]] == [row.id for row in reversed(history[MANY - UNDONE : MANY])]
    expect(review.locator('[data-count="reviewed"]')).to_have_text("55")


def test_labels_are_given_and_undone_over_plain_http_from_another_address(
    plain_http_page: Page, db: Database, blobs: Blobs
) -> None:
    job = make_pets(db, blobs, 3)
    review = open_review(plain_http_page, plain_http_page.url.rstrip("/"), job)
    label(review, "c", "d")
    press(review, "u")
    wait_until_sent(review)
    assert words(db, job) == {"cat": 1, None: 2}


def test_unsure_pictures_come_first_and_enter_confirms_the_others(review: Page, db: Database, job: UUID) -> None:
    expect(review.locator('[data-field="says"]')).to_contain_text("Unsure")
    press(review, "Enter")
    expect(review.get_by_text("The model is unsure about this picture. Choose a label.")).to_be_visible()
    n_unsure = int(review.locator('[data-count="unsure"]').text_content() or "")
    label(review, *["n"] * n_unsure)
    expect(review.locator('[data-count="unsure"]')).to_have_text("0")
    expect(review.locator('[data-field="says"]')).to_contain_text("Cat")
    press(review, "Enter", "d")
    wait_until_sent(review)
    assert [(row.label, row.source) for row in said(db)[-2:]] == [("cat", "confirmation"), ("dog", "correction")]


def test_skipped_pictures_come_back_when_asked_for(review: Page, db: Database, job: UUID) -> None:
    first = path_of(review)
    press(review, "s", "Space")
    label(review, *["c"] * (N - 2))
    expect(review.get_by_text("2 pictures skipped.")).to_be_visible()
    review.get_by_role("button", name="Show the skipped pictures again").click()
    expect(review.locator('[data-field="path"]')).to_have_text(first)
    press(review, "d", "d")
    expect(review.get_by_role("heading", name="Nothing left to review")).to_be_visible()
    wait_until_sent(review)
    assert words(db, job) == {"cat": N - 2, "dog": 2}


def test_the_counts_follow_where_the_page_does_not_wait_for_them(
    owner_page: Page, site: str, job: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    label(open_review(owner_page, site, job), "c", "d")
    wait_until_sent(owner_page)
    monkeypatch.setattr(review_progress, "FEW", -1)
    open_review(owner_page, site, job)
    expect(owner_page.locator('[data-count="reviewed"]')).to_have_text("2")
    expect(owner_page.locator('[data-count="unsure"]')).to_have_text("6")
    expect(owner_page).to_have_title(re.compile("6 unsure left"))


def test_undo_goes_on_after_a_reload_and_what_was_done_is_still_done(
    review: Page, site: str, db: Database, job: UUID
) -> None:
    second = ""
    for n in range(4):
        second = path_of(review) if n == 1 else second
        press(review, "c")
    wait_until_sent(review)
    open_review(review, site, job)
    expect(review.locator('[data-count="reviewed"]')).to_have_text("4")
    press(review, "u", "Backspace", "u")
    expect(review.locator('[data-field="path"]')).to_have_text(second)
    press(review, "d")
    wait_until_sent(review)
    assert words(db, job) == {"cat": 1, "dog": 1, None: N - 2}


def test_the_next_pictures_are_loaded_before_they_are_needed(owner_page: Page, site: str, job: UUID) -> None:
    loaded: list[str] = []
    owner_page.on("requestfinished", lambda request: "/thumbnail?" in request.url and loaded.append(request.url))
    review = open_review(owner_page, site, job)
    wait_for(review, lambda: len(set(loaded)) == N_AT_HAND, "all pictures at hand to be loaded")
    before = {url.removeprefix(site) for url in loaded}
    for _ in range(3):
        shown_before = path_of(review)
        press(review, "c")
        expect(review.locator('[data-field="path"]')).not_to_have_text(shown_before)
        shown = review.locator(".review__stage img")
        expect(shown).to_have_js_property("complete", True)
        assert shown.get_attribute("src") in before


def test_mouse_and_keyboard_work_together(review: Page, db: Database, job: UUID) -> None:
    review.get_by_role("button", name="Neither").click()
    press(review, "Space")
    review.get_by_role("button", name="Zoom").click()
    expect(review.locator(".review__stage.is-zoomed")).to_have_count(1)
    press(review, "z", "?")
    expect(review.get_by_role("heading", name="Keys")).to_be_visible()
    press(review, "c")
    review.get_by_label("Use single-key shortcuts").uncheck()
    press(review, "Escape", "c")
    wait_until_sent(review)
    assert [row.label for row in said(db)] == ["neither"], "neither the dialog nor keys that are off label anything"
    review.get_by_role("button", name="Undo").first.click()
    review.get_by_role("button", name="Undo").first.click()
    wait_until_sent(review)
    assert words(db, job) == {None: N}


def test_two_people_share_a_small_job_and_do_not_do_each_others_work(
    owner_page: Page, context: BrowserContext, site: str, db: Database, job: UUID
) -> None:
    review = open_review(owner_page, site, job)
    other = open_review(context.new_page(), site, job)
    n_pressed = {"c": 0, "d": 0}
    while sum(n_pressed.values()) < N:
        for page, key in ((review, "c"), (other, "d")):
            if page.locator(".review__stage img").is_visible():
                page.keyboard.press(key)
                n_pressed[key] += 1
    wait_until_sent(review)
    wait_until_sent(other)
    labels = said(db)
    assert len(labels) == N
    assert len({row.image_id for row in labels}) == N
    assert {row.label for row in labels} == {"cat", "dog"}


def test_pictures_of_someone_who_left_come_back(
    review: Page, context: BrowserContext, site: str, db: Database, job: UUID
) -> None:
    other = open_review(context.new_page(), site, job)
    review.close(run_before_unload=True)
    label(other, *["c"] * N)
    wait_until_sent(other)
    assert words(db, job) == {"cat": N}


def test_labels_that_are_sent_while_pictures_are_asked_for_do_not_end_the_review(review: Page) -> None:
    held: list[tuple[Route, APIResponse]] = []
    intercept(review, "**/review", lambda route: held.append((route, route.fetch())))
    label(review, *["c"] * N_AT_HAND)
    wait_until_sent(review)
    assert len(held) == 1
    review.unroute("**/review")
    review.evaluate(NOTE_AN_END)
    route, answer = held[0]
    route.fulfill(response=answer)
    expect(review.locator(".review__stage img")).to_be_visible()
    assert not review.evaluate("hasEnded")


def test_pictures_of_someone_whose_computer_died_come_back_when_the_lease_ends(
    review: Page, context: BrowserContext, site: str, db: Database, job: UUID
) -> None:
    intercept(review, "**/*", lambda route: route.abort())
    with db.write() as session:
        session.execute(update(ReviewClaim).values(lease_until=db_now(-1)))
    other = open_review(context.new_page(), site, job)
    label(other, *["c"] * N)
    wait_until_sent(other)
    assert words(db, job) == {"cat": N}


def test_a_lost_connection_is_waited_out_and_nothing_is_lost(review: Page, db: Database, job: UUID) -> None:
    is_down = True

    def answer(route: Route) -> None:
        route.abort() if is_down else route.continue_()

    intercept(review, f"**{LABELS}", answer)
    press(review, *["c"] * 10, "u", "d")
    expect(review.get_by_text("The server is not responding.")).to_be_visible()
    expect(review.locator('[data-field="sending"]')).to_have_text("Sending 12 labels …")
    assert said(db) == []
    is_down = False
    wait_until_sent(review)
    expect(review.get_by_text("The server is not responding.")).to_be_hidden()
    assert words(db, job) == {"cat": 9, "dog": 1, None: N - 10}


def test_unsent_labels_survive_closing_the_page_and_are_sent_once(
    review: Page, context: BrowserContext, site: str, db: Database, job: UUID
) -> None:
    intercept(review, f"**{LABELS}", lambda route: route.abort())
    press(review, "c", "c", "c")
    expect(review.get_by_text("Sending 3 labels")).to_be_visible()
    warned: list[str] = []

    def leave(dialog: object) -> None:
        warned.append(getattr(dialog, "type", ""))
        getattr(dialog, "accept", lambda: None)()

    review.on("dialog", leave)
    review.close(run_before_unload=True)
    other = context.new_page()
    take_time(other)
    open_review(other, site, job)
    wait_until_sent(other)
    sent = n_asked(other, LABELS)
    turn(other)
    assert n_asked(other, LABELS) == sent
    assert words(db, job) == {"cat": 3, None: N - 3}
    assert len(said(db)) == 3
    assert warned == ["beforeunload"]


def test_a_label_that_the_server_refuses_does_not_hold_up_the_others(review: Page, db: Database, job: UUID) -> None:
    review.evaluate(
        """async () => {
          const { Outbox } = await import("/static/labels/outbox.js");
          window.refused = [];
          const on = { onChange() {}, onTrouble() {}, onRefused: (entry) => window.refused.push(entry.item.image_id) };
          const box = window.box = new Outbox("9", "test", on);
          const key = (n) => `00000000-0000-4000-8000-00000000000${n}`;
          for (const [n, id] of [1, 99999, 2].entries()) box.add({ image_id: id, label: "cat", key: key(n) }, "");
        }"""
    )
    review.wait_for_function("() => window.refused.length === 1 && window.box.size === 0")
    assert [row.image_id for row in said(db)] == [1, 2]


def test_a_random_sample_is_judged_blind_and_says_how_often_the_model_is_right(
    owner_page: Page, site: str, db: Database, blobs: Blobs
) -> None:
    job = make_pets(db, blobs, MANY)
    owner_page.goto(f"{site}/jobs/{job}")
    owner_page.get_by_role("button", name="50", exact=True).click()
    owner_page.wait_for_url("**/audits/*/review")
    expect(owner_page.locator('[data-field="says"]')).to_have_text("")
    expect(owner_page.get_by_role("button", name="The model is right")).to_have_count(0)
    expect(owner_page.locator('[data-count="all"]')).to_have_text("50")
    wait_until_ready(owner_page)
    label(owner_page, *["c"] * 20)
    wait_until_sent(owner_page)
    owner_page.get_by_role("link", name="pets").click()
    expect(owner_page.get_by_text("20 of 50 pictures checked so far")).to_be_visible()
    owner_page.get_by_role("link", name="Continue: 30 pictures left").click()
    expect(owner_page.locator('[data-count="reviewed"]')).to_have_text("20")
    wait_until_ready(owner_page)
    label(owner_page, *["c"] * 30)
    wait_until_sent(owner_page)
    owner_page.get_by_role("link", name="Show the result").click()
    expect(owner_page.get_by_text("100.0 % of the model’s labels are right")).to_be_visible()
    assert {row.source for row in said(db)} == {"audit"}
    owner_page.get_by_role("link", name="Back to the job").click()
    expect(owner_page.locator(".audits")).to_contain_text("100.0 % of the labels right")
    expect(owner_page.get_by_text("so this is not the error rate")).to_be_visible()


def test_without_javascript_a_form_shows_one_picture_after_the_other(
    plain_page: Page, site: str, db: Database, blobs: Blobs
) -> None:
    job = make_job(db, make_upload(db, blobs, {f"p/{n}.jpg": draw_picture(n) for n in range(4)}, name="plain"))
    run_job(db, job, {"p/1.jpg": (0.4, 0.3)})
    plain_page.goto(f"{site}/jobs/{job}")
    plain_page.get_by_role("link", name="Review, unsure ones first").click()
    path = plain_page.locator('[data-field="path"]')
    expect(path).to_have_text("p/1.jpg")
    plain_page.get_by_role("button", name="Dog").click()
    expect(path).not_to_have_text("p/1.jpg")
    second = path_of(plain_page)
    plain_page.get_by_role("button", name="Skip").click()
    expect(path).not_to_have_text(second)
    plain_page.get_by_role("button", name="Undo").first.click()
    expect(path).to_have_text(second)
    plain_page.get_by_role("button", name="Undo").first.click()
    expect(path).to_have_text("p/1.jpg")
    for name in ("Neither", "Skip", "Cat", "Cat"):
        plain_page.get_by_role("button", name=name).click()
    expect(plain_page.get_by_text("1 picture skipped.")).to_be_visible()
    plain_page.get_by_role("button", name="Show the skipped pictures again").click()
    plain_page.get_by_role("button", name="Cat").click()
    expect(plain_page.get_by_role("heading", name="Nothing left to review")).to_be_visible()
    assert words(db, job) == {"neither": 1, "cat": 3}
    assert len(said(db)) == 6


@pytest.mark.parametrize("width", [360, 800, 1280])
def test_the_review_is_never_wider_than_the_window(review: Page, width: int) -> None:
    review.set_viewport_size({"width": width, "height": 800})
    assert review.evaluate("() => document.documentElement.scrollWidth") <= width
