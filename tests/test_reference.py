"""docs/reference: the pages that are made from the code are those of the code."""

import pytest

from core.base.config import Settings
from core.base.database import Database
from tests.support.reference.pages import FOLDER, PAGES
from tests.support.reference.settings import INTERNAL
from web.app import App

DATABASES = ("sqlite",)  # the pages do not depend on the kind
BLOBS = ("file",)
# By hand: what calls and files mean together.
WRITTEN = {"http-api.md", "results.md"}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_made_from_the_code_is_up_to_date(name: str, app: App, db: Database) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == PAGES[name](app, db), "run `make reference`"


def test_every_page_of_the_reference_is_made_or_written() -> None:
    pages = {page.name for page in FOLDER.glob("*.md")}
    assert PAGES.keys() <= pages
    assert pages - PAGES.keys() >= WRITTEN


def test_every_setting_says_what_it_means() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
    assert Settings.model_fields.keys() >= INTERNAL
