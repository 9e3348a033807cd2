"""The help page and the guide below it: files that `make docs` makes, which may be missing."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from web.http.security import CONTENT_POLICY
from web.pages.system import help as help_pages

DATABASES = ("sqlite",)  # nothing here depends on the kind
BLOBS = ("file",)
FIRST = "/help/docs/README.html"


@pytest.fixture
def guide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A guide of two pages."""
    folder = tmp_path / "guide"
    (folder / "docs").mkdir(parents=True)
    for page in ("README", "command-line"):
        (folder / "docs" / f"{page}.html").write_text(f"<h1>{page}</h1>")
    (tmp_path / "secret.html").write_text("not for everybody")
    monkeypatch.setattr(help_pages, "GUIDE", folder)
    return folder


def test_the_guide_needs_no_login_and_keeps_the_content_policy(stranger: FlaskClient, guide: Path) -> None:
    with stranger.get(FIRST) as answer:
        assert (answer.status_code, answer.text) == (200, "<h1>README</h1>")
        assert answer.headers["Content-Security-Policy"] == CONTENT_POLICY
    with stranger.get(FIRST, headers={"If-None-Match": answer.headers["ETag"]}) as unchanged:
        assert unchanged.status_code == 304


@pytest.mark.parametrize("path", ["../secret.html", "docs/../../secret.html", "%2e%2e/secret.html", "docs", "docs/no"])
def test_nothing_but_files_of_the_guide_is_shown(stranger: FlaskClient, guide: Path, path: str) -> None:
    assert stranger.get(f"/help/{path}").status_code == 404


def test_pages_lead_to_the_guide(browser: FlaskClient, guide: Path) -> None:
    assert FIRST in browser.get("/help").text
    assert "/help/docs/command-line.html" in browser.get("/account").text


def test_without_the_guide_the_help_page_says_how_to_get_it(
    browser: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(help_pages, "GUIDE", tmp_path / "none")
    page = browser.get("/help").text
    assert "<code>make docs</code>" in page
    assert "/help/docs/" not in page
    assert "/help/docs/" not in browser.get("/account").text
