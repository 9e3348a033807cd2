"""Hundreds of versions, thousands of lines of history: what one chooses from stays short, and all can be reached."""

import re
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert

from core.base.database import Database
from core.orm.models import Deployment
from core.storage.blobs import Blobs
from tests.support.factories import make_job, make_labelled, make_upload, make_version, run_job

DATABASES = ("sqlite",)  # pages do not differ between databases
N_VERSIONS = 200
N_LINES = 2000


@pytest.fixture(autouse=True)
def many(client: FlaskClient, db: Database) -> None:
    """Version 1 is in use, for the two thousandth time."""
    for n in range(1, N_VERSIONS):
        make_version(db, "seed-cnn", weights=f"weights {n}".encode())
    with db.write() as session:
        line = {"model_version_id": 1, "reason": "promoted"}
        session.execute(insert(Deployment), [line for _ in range(N_LINES)])


def _offered(page: str, select: str) -> list[int]:
    field = re.search(rf"<select[^>]* {select}.*?</select>", page, re.DOTALL)
    assert field is not None
    return [int(number) for number in re.findall(r">Version (\d+)", field[0])]


NEWEST = list(range(N_VERSIONS, N_VERSIONS - 30, -1))


def test_fields_offer_the_newest_versions_and_the_one_in_use(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    job = uuid4()
    client.put(f"/api/v1/jobs/{job}", json={"upload": str(make_upload(db, blobs)), "model": 17})
    upload = make_labelled(db, blobs)
    assert _offered(client.get("/").text, 'data-part="model"') == [*NEWEST, 1]
    assert _offered(client.get(f"/jobs/{job}/again").text, 'id="model"') == [*NEWEST, 17, 1]
    assert _offered(client.get(f"/train/new?upload={upload}").text, 'id="start_from"') == [*NEWEST, 1]
    assert _offered(client.get(f"/train/new?upload={upload}&start_from=17").text, 'id="start_from"') == [*NEWEST, 1, 17]
    assert _offered(client.get("/models/compare?first=17").text, 'id="first"') == [*NEWEST, 17, 1]
    assert _offered(client.get("/models/1").text, 'id="second"') == NEWEST
    assert _offered(client.get("/schedules/new?kind=classify").text, 'id="model"') == [*NEWEST, 1]


def test_pages_say_how_many_versions_are_not_offered_and_list_them(
    client: FlaskClient, db: Database, blobs: Blobs
) -> None:
    job = make_job(db, make_upload(db, blobs))
    run_job(db, job)
    for address, field in ((f"/jobs/{job}/again", 'id="model"'), ("/models/compare", 'id="second"')):
        page = client.get(address).text
        assert f"{N_VERSIONS - 31} older versions not shown" in page
        (whole,) = re.findall(r'href="([^"]*[?&]all=1)"', page.replace("&amp;", "&"))
        assert _offered(client.get(whole).text, field) == list(range(N_VERSIONS, 0, -1))


def test_the_one_in_use_stands_first_and_nowhere_else(client: FlaskClient) -> None:
    seen: list[int] = []
    address: str | None = "/models"
    while address:
        page = client.get(address).text.replace("&amp;", "&")
        seen += [int(number) for number in re.findall(r'<h2><a href="/models/(\d+)">', page)]
        older = re.search(r'rel="next" href="([^"]+)"', page)
        address = older[1] if older else None
    assert seen == [1, *range(N_VERSIONS, 1, -1)]


def test_the_history_of_use_comes_in_pages(client: FlaskClient) -> None:
    page = client.get("/deployments").text
    assert page.count('<th scope="row">') == 50
    older = re.search(r'rel="next" href="([^"]+)"', page)
    assert older is not None
    assert "Newest entries" in client.get(older[1].replace("&amp;", "&")).text
    answer = client.get("/api/v1/deployments?limit=1000").json
    assert answer is not None
    rest = client.get(f"/api/v1/deployments?limit=1000&cursor={answer['next']}").json
    assert rest is not None
    assert (len(answer["items"]), len(rest["items"])) == (1000, 1000)
    last = client.get(f"/api/v1/deployments?cursor={rest['next']}").json
    assert last is not None
    assert [one["reason"] for one in last["items"]] == ["first start"]
