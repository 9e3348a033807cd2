"""The list of jobs: found by name, state, person and day, from the page and over HTTP; acted on from its rows."""

import re
from datetime import UTC, datetime
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from core.accounts import accounts
from core.base.database import Database
from core.base.states import JobState
from core.jobs import job_states
from core.orm.accounts import User
from core.orm.jobs import Job
from core.storage.blobs import Blobs
from tests.support.actors import as_owner
from tests.support.factories import make_job, make_upload, run_job
from web.app import App

PAGE = {"Accept": "text/html"}


@pytest.fixture
def listed(db: Database, blobs: Blobs, app: App) -> dict[str, UUID]:
    """Four jobs by name: done, stopped, waiting, and one of somebody else on another day."""
    upload = make_upload(db, blobs)
    names = ("Garden 100 %", "Shelter", "garden camera", "Attic")
    made = {name: make_job(db, upload, name=name) for name in names}
    run_job(db, made["Garden 100 %"])
    with db.write() as session:
        job_states.cancel_job(session, as_owner(session), made["Shelter"])
        session.add(User(name="Ada"))
        owner = accounts.get_or_create_owner(session).id
        session.execute(update(Job).values(user_id=owner, created_at=datetime(2026, 5, 10, 12, tzinfo=UTC)))
        ada = session.scalars(select(User.id).where(User.name == "Ada")).one()
        moved = {"user_id": ada, "created_at": datetime(2026, 5, 11, 1, tzinfo=UTC)}
        session.execute(update(Job).where(Job.name == "Attic").values(**moved))
    return made


def _shown(client: FlaskClient, query: str) -> list[str]:
    page = client.get(f"/?{query}", headers=PAGE).text
    return re.findall(r'class="job__name"[^>]*><bdi>([^<]+)<', page)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["Attic", "garden camera", "Shelter", "Garden 100 %"]),
        ("name=GARDEN", ["garden camera", "Garden 100 %"]),
        ("name=%25", ["Garden 100 %"]),
        ("state=active", ["Attic", "garden camera"]),
        ("state=cancelled", ["Shelter"]),
        ("state=done&name=shelter", []),
        ("user=Ada", ["Attic"]),
        ("user=Nobody", []),
        ("model=1&sort=name", ["Attic", "Garden 100 %", "garden camera", "Shelter"]),
        ("model=99", []),
        ("sort=oldest", ["Garden 100 %", "Shelter", "garden camera", "Attic"]),
        ("sort=state", ["Attic", "garden camera", "Shelter", "Garden 100 %"]),
        ("since=2026-05-11", ["Attic"]),
        ("until=2026-05-10", ["garden camera", "Shelter", "Garden 100 %"]),
        ("since=2026-05-11&zone=120", []),  # two hours behind UTC it was still the tenth
        ("until=2026-05-10&zone=120", ["Attic", "garden camera", "Shelter", "Garden 100 %"]),
    ],
)
def test_the_page_shows_what_its_address_asks_for(
    browser: FlaskClient, listed: dict[str, UUID], query: str, names: list[str]
) -> None:
    assert _shown(browser, query) == names


def test_the_page_says_who_sent_what_and_that_nothing_fits(browser: FlaskClient, listed: dict[str, UUID]) -> None:
    assert "Ada</bdi> · <time" in browser.get("/", headers=PAGE).text
    page = browser.get("/?name=nothing+like+it", headers=PAGE).text
    assert "No jobs match these filters." in page
    assert 'value="nothing like it"' in page


def test_older_jobs_keep_to_the_choice(browser: FlaskClient, db: Database, blobs: Blobs) -> None:
    upload = make_upload(db, blobs)
    for n in range(33):
        make_job(db, upload, name=f"walk {n}")
        make_job(db, upload, name=f"other {n}")
    page = browser.get("/?name=walk", headers=PAGE).text
    older = re.search(r'rel="next" href="([^"]+)"', page)
    assert older is not None
    assert _shown(browser, older[1].partition("?")[2].replace("&amp;", "&")) == ["walk 2", "walk 1", "walk 0"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("name=garden&state=done", ["Garden 100 %"]),
        ("state=active", ["Attic", "garden camera"]),
        ("user=Ada", ["Attic"]),
        ("since=2026-05-11T00:00:00Z", ["Attic"]),
        ("before=2026-05-10T14:00:00%2B02:00", []),
    ],
)
def test_programs_find_jobs_by_the_same(
    client: FlaskClient, listed: dict[str, UUID], query: str, names: list[str]
) -> None:
    answer = client.get(f"/api/v1/jobs?{query}").json
    assert answer is not None
    assert [item["name"] for item in answer["items"]] == names


@pytest.mark.parametrize("query", ["state=asleep", "since=2026-05-11", "since=2026-05-11T00:00:00", "colour=red"])
def test_programs_that_ask_nonsense_are_told(client: FlaskClient, query: str) -> None:
    assert client.get(f"/api/v1/jobs?{query}").status_code == 422


def test_stopping_and_trying_again_from_the_list_leads_back_to_it(
    browser: FlaskClient, db: Database, listed: dict[str, UUID]
) -> None:
    csrf = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/", headers=PAGE).text)
    assert csrf is not None
    address = "/?name=garden&state="
    form = {"csrf_token": csrf[1], "back": address}
    uuid = listed["garden camera"]
    for action, state in (("cancel", JobState.CANCELLED), ("retry", JobState.RUNNING)):
        answer = browser.post(f"/jobs/{uuid}/{action}", data=form)
        assert (answer.status_code, answer.headers["Location"]) == (303, address)
        with db.read() as session:
            assert session.scalar(select(Job.state).where(Job.uuid == uuid)) == state
    elsewhere = browser.post(f"/jobs/{uuid}/cancel", data=form | {"back": "//evil.example/"})
    assert elsewhere.headers["Location"] == f"/jobs/{uuid}"


@pytest.mark.parametrize("typed", ["", "delet", "garden camera"])
def test_nothing_is_deleted_without_the_word(
    browser: FlaskClient, db: Database, listed: dict[str, UUID], typed: str
) -> None:
    address = f"/jobs/{listed['Attic']}/delete"
    csrf = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(address, headers=PAGE).text)
    assert csrf is not None
    answer = browser.post(address, data={"csrf_token": csrf[1], "confirmation": typed}, headers=PAGE)
    assert answer.status_code == 422
    assert "Nothing was deleted." in answer.text
    with db.read() as session:
        assert session.scalar(select(Job.deleted_at).where(Job.uuid == listed["Attic"])) is None
