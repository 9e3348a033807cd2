"""A folder of the server, from the first page and over the API: only where the operator allows one, and for admins."""

from pathlib import Path
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from core.base.config import Settings
from core.base.database import Database
from tests.support.actors import make_token
from tests.support.login import csrf_in, log_in
from web.app import App

DATABASES = ("sqlite",)


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    (tmp_path / "incoming").mkdir()
    return settings.model_copy(update={"import_roots": str(tmp_path / "incoming")})


def test_the_first_page_takes_a_folder_of_the_server_and_leads_to_its_job(
    browser: FlaskClient, client: FlaskClient, tmp_path: Path
) -> None:
    page, uuid = browser.get("/").text, uuid4()
    assert "Sort a folder of the server" in page
    form = {"csrf_token": csrf_in(page), "id": str(uuid), "source": f"{tmp_path}/incoming/"}
    answers = [browser.post("/imports", data=form) for _ in range(2)]
    assert [(answer.status_code, answer.location) for answer in answers] == [(303, f"/jobs/{uuid}")] * 2
    job = client.get(f"/api/v1/jobs/{uuid}").json
    assert job is not None
    assert (job["name"], job["state"], job["counts"]["total"]) == ("incoming", "receiving", 0)
    outside = browser.post("/imports", data=form | {"id": str(uuid4()), "source": str(tmp_path)})
    assert (outside.status_code, "outside the folders" in outside.text) == (422, True)


def test_a_member_sees_no_such_form_and_is_refused(app: App, db: Database, tmp_path: Path) -> None:
    ben, token = app.test_client(), make_token(db, "ben")
    log_in(ben, token)
    assert "Sort a folder of the server" not in ben.get("/").text
    headers = {"Authorization": f"Bearer {token}"}
    refused = app.test_client().post("/api/v1/imports", json={"source": str(tmp_path / "incoming")}, headers=headers)
    assert refused.status_code == 403
