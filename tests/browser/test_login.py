"""Coming in and going out."""

from uuid import UUID

from playwright.sync_api import Page, expect

from core.accounts import accounts, login_codes, tokens
from core.base.database import Database
from core.storage.blobs import Blobs
from tests.support.browser.chromium import show_pictures
from tests.support.factories import draw_picture, make_job, make_upload, read_results, run_job

DATABASES = ("sqlite",)  # pages do not differ between databases

STATUS = "async (url) => (await fetch(url)).status"


def _token(db: Database) -> str:
    with db.write() as session:
        return tokens.create_token(session, "test")


def _job(db: Database, blobs: Blobs) -> UUID:
    return make_job(db, make_upload(db, blobs, n_files=1, name="secret"))


def test_the_printed_link_logs_in_at_the_press_of_a_button(page: Page, site: str, db: Database) -> None:
    with db.write() as session:
        code = login_codes.create_login_code(session, accounts.get_or_create_owner(session))
    page.goto(f"{site}/login?code={code}")
    page.get_by_role("button", name="Log in as owner").press("Enter")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    assert page.url == f"{site}/"


def test_a_wrong_token_is_refused_with_a_sentence_that_helps(page: Page, site: str) -> None:
    page.goto(f"{site}/login")
    page.get_by_role("textbox", name="Token").fill("wrong")
    page.get_by_role("button", name="Log in with the token").click()
    expect(page.get_by_role("alert")).to_contain_text("That token isn’t valid.")


def test_a_pasted_token_logs_in_and_goes_where_one_wanted_to_go(
    page: Page, site: str, db: Database, blobs: Blobs
) -> None:
    job = _job(db, blobs)
    page.goto(f"{site}/jobs/{job}")
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    page.get_by_role("textbox", name="Token").fill(_token(db))
    page.get_by_role("button", name="Log in with the token").click()
    expect(page.get_by_role("heading", name="secret")).to_be_visible()
    assert page.url == f"{site}/jobs/{job}"


def test_after_logging_out_nothing_is_shown_and_only_labels_that_wait_stay(
    owner_page: Page, site: str, db: Database, blobs: Blobs
) -> None:
    job = make_job(db, make_upload(db, blobs, {"a.jpg": draw_picture()}))
    run_job(db, job)
    picture = f"/api/v1/images/{read_results(db, job)[0].image_id}/thumbnail?size=128"
    assert owner_page.evaluate(STATUS, picture) == 200
    owner_page.evaluate(
        "() => ['pawsort.uploads', 'pawsort-labels:1:x'].forEach((key) => localStorage.setItem(key, '[]'))"
    )
    owner_page.get_by_role("button", name="Log out").click()
    expect(owner_page.get_by_role("heading", name="Log in")).to_be_visible()
    assert owner_page.evaluate("() => Object.keys(localStorage)") == ["pawsort-labels:1:x"]
    assert owner_page.evaluate(STATUS, picture) == 401, "not even from the browser's cache"
    owner_page.goto(site)
    expect(owner_page.get_by_role("heading", name="Log in")).to_be_visible()


def test_a_form_with_a_wrong_csrf_token_changes_nothing(
    owner_page: Page, site: str, db: Database, blobs: Blobs
) -> None:
    job = _job(db, blobs)
    owner_page.goto(f"{site}/jobs/{job}")
    owner_page.evaluate(
        "() => document.querySelectorAll('[name=csrf_token]').forEach((field) => (field.value = 'forged'))"
    )
    with owner_page.expect_navigation() as navigation:
        owner_page.get_by_role("button", name="Stop this job").click()
    assert navigation.value is not None
    assert navigation.value.status == 403
    expect(owner_page.get_by_role("heading", name="Not allowed")).to_be_visible()
    owner_page.goto(f"{site}/jobs/{job}")
    expect(owner_page.locator(".chip")).to_have_text("Waiting")


def test_a_call_without_the_csrf_header_changes_nothing(owner_page: Page, db: Database, blobs: Blobs) -> None:
    job = _job(db, blobs)
    cancel = """async ([url, headers]) => (await fetch(url, { method: "POST", headers })).status"""
    url = f"/api/v1/jobs/{job}/cancel"
    assert owner_page.evaluate(cancel, [url, {}]) == 403
    assert owner_page.evaluate(cancel, [url, {"X-CSRF-Token": "forged"}]) == 403
    token = owner_page.locator('meta[name="csrf-token"]').get_attribute("content")
    assert owner_page.evaluate(cancel, [url, {"X-CSRF-Token": token}]) == 200


def test_inline_scripts_and_styles_are_refused_by_the_policy(page: Page, site: str) -> None:
    answer = page.goto(f"{site}/login")
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert page.locator("script:not([src]), style, [style], [onclick]").count() == 0


def test_whoever_was_logged_out_elsewhere_is_told_so_in_words_for_people(
    owner_page: Page, site: str, db: Database, blobs: Blobs
) -> None:
    job = make_job(db, make_upload(db, blobs))
    run_job(db, job)
    owner_page.goto(f"{site}/jobs/{job}")
    show_pictures(owner_page)
    owner_page.context.clear_cookies()
    owner_page.get_by_role("button", name="Confirm all").click()
    owner_page.get_by_role("dialog").get_by_role("button", name="Confirm").click()
    expect(owner_page.get_by_text("You are no longer logged in")).to_be_visible()
    owner_page.get_by_role("button", name="Check 100 random pictures").click()
    expect(owner_page.get_by_role("heading", name="You are not logged in")).to_be_visible()
    owner_page.get_by_role("link", name="Log in").click()
    expect(owner_page.get_by_role("heading", name="Log in")).to_be_visible()
