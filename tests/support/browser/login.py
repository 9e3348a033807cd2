"""Logging browsers in without a page, and opening the first one."""

from playwright.sync_api import Page

from core.accounts import accounts, tokens
from core.base.database import Database
from tests.support.login import csrf_in


def log_in(page: Page, site: str, token: str) -> None:
    """Log the profile of a page in with a token, and go to the list of jobs."""
    requests = page.context.request
    csrf = csrf_in(requests.get(f"{site}/login").text())
    answer = requests.post(f"{site}/login", form={"csrf_token": csrf, "token": token}, max_redirects=0)
    assert answer.status == 303, answer.text()
    page.goto(f"{site}/")


def log_in_as(page: Page, site: str, db: Database, name: str = accounts.OWNER) -> None:
    """Log the profile of a page in as a person, who is added if the name is new, and go to the list of jobs."""
    with db.write() as session:
        token = tokens.create_token(session, "browser", accounts.get_or_create_user(session, name))
    log_in(page, site, token)
