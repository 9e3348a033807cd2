"""What the page of somebody else's job offers, and handing it over."""

import re

import pytest
from flask.testing import FlaskClient

from core.accounts import accounts
from core.accounts.rights import Role
from core.base.database import Database
from core.storage.blobs import Blobs
from tests.support.actors import make_token
from tests.support.factories import make_job, make_upload, run_job
from tests.support.login import csrf_in, log_in
from web.app import App

DATABASES = ("sqlite",)  # nothing here depends on the kind
CHANGES = ("Rename, tag …", "Delete …", "Apply</button>")


def job_page(app: App, db: Database, blobs: Blobs, name: str, role: Role) -> str:
    """The page of a job of Ada's, as somebody sees it."""
    job = make_job(db, make_upload(db, blobs, by="ada"), by="ada")
    run_job(db, job)
    token = make_token(db, name)
    with db.write() as session:
        accounts.get_or_create_user(session, name).role = role
    client = app.test_client()
    log_in(client, token)
    return client.get(f"/jobs/{job}").text


def test_the_owner_can_change_it(app: App, db: Database, blobs: Blobs) -> None:
    page = job_page(app, db, blobs, "ada", Role.MEMBER)
    assert [words for words in CHANGES if words not in page] == []
    assert "disabled" not in re.findall(r"<input class=.sure__slider.[^>]*>", page)[0]


def test_another_member_sees_who_can_and_may_label(app: App, db: Database, blobs: Blobs) -> None:
    page = job_page(app, db, blobs, "bob", Role.MEMBER)
    assert "Only <bdi>ada</bdi> or an admin can rename" in page
    assert "Rename, tag …" not in page
    assert "Delete …" not in page
    assert "disabled" in re.findall(r"<input class=.sure__slider.[^>]*>", page)[0]
    assert "Check 100 random pictures" in page
    assert "Run again with another model …" in page


def test_a_viewer_is_offered_nothing_that_changes(app: App, db: Database, blobs: Blobs) -> None:
    page = job_page(app, db, blobs, "vera", Role.VIEWER)
    forms = set(re.findall(r'<form[^>]*method="post"[^>]*action="([^"]+)"', page))
    assert {address.split("/")[-1] for address in forms} <= {"theme", "logout", "threshold"}
    assert "data-choose" not in page
    assert "Import corrections" not in page


@pytest.mark.parametrize("way", ["page", "API"])
def test_an_admin_hands_it_over(
    app: App, db: Database, blobs: Blobs, browser: FlaskClient, client: FlaskClient, way: str
) -> None:
    job = make_job(db, make_upload(db, blobs, by="ada"), by="ada")
    with db.write() as session:
        accounts.get_or_create_user(session, "bob")
    if way == "page":
        form = browser.get(f"/jobs/{job}/edit").text
        assert "<option>bob</option>" in form
        browser.post(f"/jobs/{job}/owner", data={"csrf_token": csrf_in(form), "user": "bob"})
    else:
        assert client.post(f"/api/v1/jobs/{job}/owner", json={"user": "bob"}).status_code == 200
    assert "uploaded by bob" in re.sub(r"<[^>]+>", "", browser.get(f"/jobs/{job}").text)


def test_a_name_that_nobody_has_is_refused_with_the_form(browser: FlaskClient, db: Database, blobs: Blobs) -> None:
    job = make_job(db, make_upload(db, blobs, by="ada"), by="ada")
    form = browser.get(f"/jobs/{job}/edit").text
    refused = browser.post(f"/jobs/{job}/owner", data={"csrf_token": csrf_in(form), "user": "eve"})
    assert refused.status_code == 422
    assert "There is no person named" in refused.text
