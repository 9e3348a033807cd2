"""A job with 100,000 pictures in a real browser: painted at once, scrolled to its end, its threshold dragged."""

import random
from collections import Counter
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import insert, select, update

from core.base.database import Database
from core.labels.labels import NewLabel, add_labels
from core.orm.jobs import Job
from core.orm.results import HistogramBin, Result
from core.orm.uploads import Image, Shard
from core.storage.blobs import Blobs
from tests.support.browser.chromium import show_pictures
from tests.support.deadlines import within_ms
from tests.support.factories import make_job, make_upload, run_job

pytestmark = pytest.mark.timed
DATABASES = ("sqlite",)
N = 100_000
N_LABELLED = 500
MOST_NODES = 2000


@pytest.fixture
def large(db: Database, blobs: Blobs, site: str) -> UUID:
    """A job over one real picture and rows for all the others, which share its bytes; people labelled some of them."""
    job = make_job(db, make_upload(db, blobs, n_files=1, name="large"), threshold=0.8)
    run_job(db, job)
    with db.write() as session:
        row = session.scalars(select(Job)).one()
        one = session.scalars(select(Image)).one()
        shard = session.scalars(select(Shard)).one()
        shared = {"upload_id": one.upload_id, "shard_id": shard.id, "offset": one.offset, "n_bytes": one.n_bytes}
        numbers = range(one.id + 1, one.id + N)
        session.execute(
            insert(Image),
            [
                shared | {"id": n, "ordinal": n, "path": f"large/{n % 40}/{n:06}.jpg", "sha256": n.to_bytes(32, "big")}
                for n in numbers
            ],
        )
        drawn = random.Random(1)
        said = [(n % 2, drawn.randrange(500_000, 1_000_000)) for n in numbers]
        session.execute(
            insert(Result),
            [
                {"job_id": row.id, "image_id": n, "class_index": index, "confidence": p, "probabilities": [p / 1e6, 0]}
                for n, (index, p) in zip(numbers, said, strict=True)
            ],
        )
        bins = Counter((index, p // 1000) for index, p in said)
        bins += Counter({(0, 900): 1})  # the real one
        session.execute(HistogramBin.__table__.delete())
        session.execute(
            insert(HistogramBin),
            [{"job_id": row.id, "class_index": index, "bin": bin_, "n": n} for (index, bin_), n in bins.items()],
        )
        session.execute(update(Job).values(n_total=N, n_done=N))
        add_labels(session, None, [NewLabel(n, "cat") for n in list(numbers)[:: N // N_LABELLED]])
    return job


def test_a_hundred_thousand_pictures_are_painted_scrolled_and_counted_anew(
    owner_page: Page, site: str, large: UUID
) -> None:
    owner_page.goto(f"{site}/help")
    plain_ms = _first_paint_ms(owner_page)
    owner_page.goto(f"{site}/jobs/{large}", wait_until="commit")
    show_pictures(owner_page)
    # On a machine that is busy with other things even the plainest page takes long: then twice as long is allowed.
    assert _first_paint_ms(owner_page) < max(within_ms(1000), 2 * plain_ms)
    _jump_to_the_end_and_back(owner_page)
    _scroll_to_the_end_and_back(owner_page)
    _drag_the_threshold(owner_page)
    _filter_and_go_back(owner_page)


def _first_paint_ms(page: Page) -> float:
    page.wait_for_function("() => performance.getEntriesByName('first-contentful-paint').length > 0")
    found: float = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    return found


# Milliseconds until a picture far away is there, from the moment when the window jumps to it.
JUMP = """async ([top, n]) => {
  const began = performance.now();
  scrollTo(0, top * document.documentElement.scrollHeight);
  const isThere = () => document.querySelector(`.tile[aria-posinset="${n}"] .tile__name`)?.textContent;
  while (!isThere()) await new Promise(requestAnimationFrame);
  return performance.now() - began;
}"""


def _jump_to_the_end_and_back(page: Page) -> None:
    page.wait_for_load_state("networkidle")
    there_ms = page.evaluate(JUMP, [1, N])
    page.wait_for_load_state("networkidle")
    back_ms = page.evaluate(JUMP, [0, 1])
    print(f"jump to the end: {there_ms:.0f} ms; back: {back_ms:.0f} ms")
    assert there_ms < within_ms(300)
    assert back_ms < within_ms(300)


def _scroll_to_the_end_and_back(page: Page) -> None:
    last = page.locator(f'.tile[aria-posinset="{N}"]')
    nodes = []
    for place in (0.3, 0.31, 0.7, 1.0):
        page.evaluate("(share) => scrollTo(0, document.documentElement.scrollHeight * share)", place)
        page.wait_for_function("() => document.querySelectorAll('.grid--placed .tile').length > 5")
        nodes.append(page.evaluate("document.querySelectorAll('*').length"))
    expect(last).to_be_visible()
    expect(last.locator(".tile__name")).to_have_text(f"{N:06}.jpg")
    show_pictures(page)
    expect(page.locator('.tile[aria-posinset="1"]')).to_be_visible()
    nodes.append(page.evaluate("document.querySelectorAll('*').length"))
    assert max(nodes) <= MOST_NODES, nodes


def _drag_the_threshold(page: Page) -> None:
    slider = page.get_by_label("Threshold, in percent")
    slider.focus()
    page.wait_for_load_state("networkidle")
    took_ms = page.evaluate(
        """async () => {
          const slider = document.querySelector("#threshold");
          const unsure = document.querySelector('[data-count="unsure"]');
          const before = unsure.textContent;
          const began = performance.now();
          slider.value = "60";
          slider.dispatchEvent(new Event("input", { bubbles: true }));
          while (unsure.textContent === before) await new Promise(requestAnimationFrame);
          return performance.now() - began;
        }"""
    )
    assert took_ms < within_ms(300)
    dragged = [page.locator(f'[data-count="{name}"]').text_content() for name in ("cat", "dog", "unsure")]
    with page.expect_response(lambda answer: answer.request.method == "PATCH"):
        slider.dispatch_event("change")
    page.reload()
    kept = [page.locator(f'[data-count="{name}"]').text_content() for name in ("cat", "dog", "unsure")]
    assert kept == dragged


# Milliseconds until the grid shows the results of another filter, drawn around a place of theirs.
CHANGE = """async ([start, n, top]) => {
  const list = document.querySelector("[data-grid]");
  const isThere = () => {
    const tile = list.querySelector(".tile");
    return tile?.getAttribute("aria-setsize") === String(n) && (top === null || Math.abs(scrollY - top) < 4);
  };
  const began = performance.now();
  if (start === "back") history.back();
  else document.querySelector(start).click();
  while (!isThere()) await new Promise(requestAnimationFrame);
  return performance.now() - began;
}"""


def _filter_and_go_back(page: Page) -> None:
    page.wait_for_load_state("networkidle")
    n_unsure = int((page.locator('[data-count="unsure"]').text_content() or "").replace(",", ""))
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight / 2)")
    page.wait_for_load_state("networkidle")
    top = page.evaluate("scrollY")
    filtering_ms = page.evaluate(CHANGE, ["a.tally__item[data-label=unsure]", n_unsure, None])
    page.wait_for_load_state("networkidle")
    back_ms = page.evaluate(CHANGE, ["back", N, top])
    print(f"filter: {filtering_ms:.0f} ms; back: {back_ms:.0f} ms")
    assert filtering_ms < within_ms(300)
    assert back_ms < within_ms(300)
    assert page.evaluate("document.querySelectorAll('*').length") <= MOST_NODES
