"""An installation of the first schema, with three people, their tokens and their work, in the program of today."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from alembic import command
from flask.testing import FlaskClient

from core.accounts import accounts
from core.accounts.keys import digest_of
from core.base.clock import Instant
from core.base.config import Settings
from core.base.database import Database
from core.uploads import usage
from core.uploads.usage import NO_QUOTA
from migrations.run import make_config, migrate
from tests.support.login import log_in
from web.app import App, create_app

FIRST = "0001"
THEN = datetime(2025, 11, 1, 12, tzinfo=UTC)
OWNER, ADA, BOB = "owner", "ada", "bob"
PEOPLE = {OWNER: 1, ADA: 2, BOB: 3}
KEYS = {name: f"the token of {name}" for name in PEOPLE}
JOBS = {name: uuid4() for name in (ADA, BOB)}
DIGEST = bytes(32)
COUNTERS = dict.fromkeys(("n_total", "n_done", "n_chunks", "n_chunks_done"), 1) | {"n_failed": 0, "revision": 3}


def insert(connection: sa.Connection, table: str, **values: object) -> None:
    """Add a row to a table as it was then: today's classes have other columns."""
    kinds = {UUID: sa.Uuid(), datetime: Instant(), dict: sa.JSON(), list: sa.JSON()}
    columns = [sa.column(name, kinds.get(type(value))) for name, value in values.items()]  # type: ignore[call-overload]
    connection.execute(sa.table(table, *columns).insert().values(values))


def add_work(connection: sa.Connection, number: int, name: str, job: UUID) -> None:
    """An upload of one picture of a thousand bytes, classified and labelled."""
    mine, upload = {"user_id": PEOPLE[name], "created_at": THEN}, {"upload_id": number}
    sizes = {"n_bytes": 1000 * number, "n_images": 1}
    kept = {"labelled": False, "state": "complete", "n_shards": 1, "n_skipped": 0, "skipped": []}
    insert(connection, "uploads", id=number, uuid=uuid4(), name=name, received_at=THEN, **mine, **sizes, **kept)
    described = {"kind": "classify", "name": name, "state": "done", "threshold_milli": 800, "model_version_id": 1}
    insert(connection, "jobs", id=number, uuid=job, finished_at=THEN, **mine, **upload, **described, **COUNTERS)
    shard = {"id": number, "blob_key": f"uploads/{number}", "sha256": DIGEST, "created_at": THEN, "seq": 0}
    insert(connection, "shards", **upload, **shard, **sizes)
    chunk = {"id": number, "job_id": number, "shard_id": number, "state": "done", "fence": 1, "attempts": 1}
    insert(connection, "chunks", **chunk)
    image = {"id": number, "shard_id": number, "ordinal": 0, "path": "a.jpg", "offset": 512, "n_bytes": 400}
    insert(connection, "images", sha256=DIGEST, **upload, **image)
    result = {"class_index": 0, "confidence": 950_000, "probabilities": [950_000, 20_000]}
    insert(connection, "results", job_id=number, image_id=number, **result)
    insert(connection, "histogram_bins", job_id=number, class_index=0, bin=950, n=1)
    insert(connection, "labels", sha256=DIGEST, image_id=number, label="cat", source="correction", **mine)


@pytest.fixture
def upgraded(db: Database) -> Database:
    """The database after the upgrade."""
    with db.engine.execution_options(writes=True).begin() as connection:
        config = make_config()
        config.attributes["connection"] = connection
        command.downgrade(config, FIRST)
        for name, number in PEOPLE.items():
            insert(connection, "users", id=number, name=name, created_at=THEN)
            insert(connection, "tokens", user_id=number, name="laptop", digest=digest_of(KEYS[name]), created_at=THEN)
        insert(connection, "model_versions", network="seed-cnn", digest="d", manifest={}, created_at=THEN)
        for number, (name, job) in enumerate(JOBS.items(), 1):
            add_work(connection, number, name, job)
    migrate(db)
    return db


@pytest.fixture
def app(upgraded: Database, settings: Settings) -> Iterator[App]:
    one = create_app(settings)
    yield one
    one.extensions["pawsort"].db.close()


def client_of(app: App, name: str) -> FlaskClient:
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {KEYS[name]}"
    return client


def test_people_keep_their_work_and_their_tokens_and_get_roles(app: App) -> None:
    roles = {one["name"]: one["role"] for one in client_of(app, OWNER).get("/api/v1/people").get_json()["items"]}
    assert roles == {OWNER: "admin", ADA: "member", BOB: "member"}
    ada = client_of(app, ADA)
    jobs = {one["name"]: one for one in ada.get("/api/v1/jobs").get_json()["items"]}
    assert {name: one["counts"]["done"] for name, one in jobs.items()} == {ADA: 1, BOB: 1}
    (result,) = ada.get(f"/api/v1/jobs/{JOBS[ADA]}/results").get_json()["items"]
    assert (result["label"], result["human_label"]) == ("cat", "cat")
    assert ada.patch(f"/api/v1/jobs/{JOBS[ADA]}", json={"name": "mine"}).status_code == 200
    assert ada.patch(f"/api/v1/jobs/{JOBS[BOB]}", json={"name": "mine"}).status_code == 403
    assert client_of(app, OWNER).patch(f"/api/v1/jobs/{JOBS[BOB]}", json={"name": "handled"}).status_code == 200
    assert ada.get("/api/v1/people").status_code == 403


def test_their_usage_is_counted_from_what_they_had_sent(upgraded: Database) -> None:
    with upgraded.read() as session:
        used = usage.list_usage(session, NO_QUOTA)
        names = accounts.list_names(session)
    assert {names[one]: (of.n_bytes, of.n_images) for one, of in used.items()} == {ADA: (1000, 1), BOB: (2000, 1)}


def test_an_open_session_has_to_log_in_again_and_then_says_the_role(app: App) -> None:
    """Sessions were cookies with the person's number in them."""
    browser = app.test_client()
    with browser.session_transaction() as cookie:
        cookie["user_id"] = PEOPLE[ADA]
    assert browser.get("/").headers["Location"] == "/login"
    log_in(browser, KEYS[ADA])
    assert "Your role on this server is now <strong>member</strong>" in browser.get("/").text
