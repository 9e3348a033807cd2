"""Exports that take a while, as a person sees them being made."""

from uuid import UUID

from playwright.sync_api import Page, expect

from core.base.database import Database
from core.storage.blobs import Blobs
from tests.support.factories import make_job, make_upload, run_job

DATABASES = ("sqlite",)  # pages do not differ between databases

NOTE_WHAT_IS_SAID = """() => {
  const state = document.querySelector("[data-export-state]");
  window.said = [];
  new MutationObserver(() => window.said.push(state.textContent)).observe(state, { childList: true });
}"""


def make_small_job(db: Database, blobs: Blobs) -> UUID:
    job = make_job(db, make_upload(db, blobs, n_files=3, name="zoo & more"))
    run_job(db, job)
    return job


def test_a_report_and_a_workbook_show_that_they_are_made_and_are_saved_whole(
    owner_page: Page, site: str, db: Database, blobs: Blobs
) -> None:
    job = make_small_job(db, blobs)
    owner_page.goto(f"{site}/jobs/{job}")
    owner_page.evaluate(NOTE_WHAT_IS_SAID)
    for button, ending, last in (("Report (HTML)", "html", b"</html>"), ("Excel (XLSX)", "xlsx", b"PK\5\6")):
        with owner_page.expect_download() as downloading:
            owner_page.locator("a:not([data-filtered]), button").filter(has_text=button).first.evaluate(
                "element => element.click()"
            )
        assert downloading.value.suggested_filename == f"zoo & more.{ending}"
        assert last in downloading.value.path().read_bytes()[-30:]
    said = owner_page.evaluate("() => window.said")
    assert said[0] == "Making the file: Report (HTML) …"
    assert "Making the file: Report (HTML), 3 of 3 pictures …" in said
    assert said[-2:] == ["Making the file: Excel (XLSX) …", "Excel (XLSX): saved."]


def test_an_export_that_is_refused_says_why(owner_page: Page, site: str, db: Database, blobs: Blobs) -> None:
    job = make_small_job(db, blobs)
    owner_page.goto(f"{site}/jobs/{job}")
    owner_page.route("**/report.html*", lambda route: route.fulfill(status=503, json={"detail": "Too many pictures."}))
    owner_page.locator("button").filter(has_text="Report (HTML)").evaluate("element => element.click()")
    expect(owner_page.locator("[data-export-state]")).to_have_text("Too many pictures.")
