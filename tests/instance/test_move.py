"""`pawsort move`: everything is on the other side, with its ids, whenever it was killed on the way."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Connection, Table, func, inspect, select, text, update

from core.base.clock import db_now
from core.base.config import Settings
from core.base.database import Database
from core.base.errors import Conflict, Refused
from core.jobs import jobs
from core.models import registry
from core.operations import relocation, workers
from core.orm.audit_log import AuditEntry
from core.orm.jobs import Job
from core.orm.operations import Worker
from core.orm.results import Result
from core.orm.uploads import Image, Shard, Upload
from core.storage.blobs import Blobs
from core.uploads import uploads
from instance.admin.relocate import move_installation
from instance.base.lock import DataDirLock
from migrations.run import check_schema, migrate
from pawsort.api.errors import ClientError
from tests.support.deadlines import within
from tests.support.factories import (
    make_job,
    make_manifest,
    make_upload,
    run_job,
)
from tests.support.used_installation import use_installation

DATABASES = ("postgresql",)  # where it goes
N_SHARDS, N_EACH = 40, 25
GIVE_UP_S = 60.0


@pytest.fixture
def settings(tmp_path: Path, sql_url: str, sqlite_template: Path) -> Settings:
    """A data directory with a database that has its schema, and servers to move to."""
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "pawsort.db").write_bytes(sqlite_template.read_bytes())
    there = (tmp_path / "there").as_uri()
    return Settings(_env_file=None, data_dir=folder, database_url=sql_url, blob_url=there)  # type: ignore[call-arg]


@pytest.fixture
def source(settings: Settings) -> Database:
    """An installation that has been used."""
    db = Database(f"sqlite:///{settings.data_dir / 'pawsort.db'}")
    use_installation(db, blobs_here(settings))
    return db


def blobs_here(settings: Settings) -> Blobs:
    return Blobs((settings.data_dir / "blobs").as_uri())


def digest(db: Database, table: Table) -> relocation.Digest:
    with db.engine.connect() as connection:
        return relocation.digest_rows(connection, table)


def check_the_same(settings: Settings, source: Database, target: Database) -> None:
    for table in relocation.tables():
        if table.name != AuditEntry.__tablename__:  # which gets an entry about the move
            assert digest(source, table) == digest(target, table), table.name
    here, there = blobs_here(settings), Blobs(settings.store_url)
    contents = {key: bytes(here.get(key)) for key, _ in here.list("")}
    assert contents == {key: bytes(there.get(key)) for key, _ in there.list("")}
    check_schema(target)


def test_everything_is_there_and_new_rows_get_new_ids(settings: Settings, source: Database, db: Database) -> None:
    said: list[str] = []
    move_installation(settings, said.append)
    check_the_same(settings, source, db)
    assert "All rows are copied and equal" in said[-2]
    filled = {table.name for table in relocation.tables() if digest(db, table).n}
    assert {"users", "uploads", "images", "results", "labels", "trainings", "epochs", "deployments"} <= filled
    with source.read() as session:
        ids = {kind: session.scalar(text(f"SELECT seq FROM sqlite_sequence WHERE name = '{kind}'")) for kind in SEEN}
        last_image = session.scalar(select(func.max(Image.id))) or 0
    assert ids["images"] > last_image  # those of the deleted upload came last
    upload = make_upload(db, Blobs(settings.store_url))
    make_job(db, upload)
    with db.read() as session:
        assert session.scalars(select(func.max(Image.id) - 3)).one() == ids["images"] + 1
        assert uploads.get_upload(session, upload).id == ids["uploads"] + 1
        assert session.scalars(select(func.max(Job.id))).one() == ids["jobs"] + 1
    source.close()


SEEN = ("images", "uploads", "jobs")


def test_the_move_is_on_record_where_it_went(settings: Settings, source: Database, db: Database) -> None:
    with source.read() as session:
        before = [entry.action for entry in session.scalars(select(AuditEntry).order_by(AuditEntry.id))]
    move_installation(settings, lambda _: None)
    with source.read() as session:
        assert [entry.action for entry in session.scalars(select(AuditEntry).order_by(AuditEntry.id))] == before
    with db.read() as session:
        *copied, entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id))
    assert [one.action for one in copied] == before
    assert (entry.action, entry.user_name, entry.via) == ("installation.move", "owner", "command")
    assert entry.outcome == "done"
    assert entry.details["folder"] == str(settings.data_dir)
    assert entry.details["host"] == socket.gethostname()
    source.close()


def test_an_installation_that_was_only_migrated_is_taken_over(
    settings: Settings, source: Database, db: Database
) -> None:
    with db.write() as session:
        registry.register_shipped(session, [make_manifest(), make_manifest("efficientnet-lite0")])
    move_installation(settings, lambda _: None)
    check_the_same(settings, source, db)
    source.close()


def test_no_table_is_forgotten(db: Database) -> None:
    there = set(inspect(db.engine).get_table_names()) - {"alembic_version"}
    assert {table.name for table in relocation.tables()} == there


def test_a_target_that_is_used_is_left_alone(settings: Settings, source: Database, db: Database) -> None:
    with db.write() as session:
        workers.add_worker(session, 1, "inference", "cpu", {})
    with pytest.raises(Conflict, match="Stop web and workers there first"):
        move_installation(settings, lambda _: None)
    make_upload(db, Blobs(settings.store_url))
    with pytest.raises(Conflict, match="is in use already"):
        move_installation(settings, lambda _: None)
    with db.read() as session:
        assert session.scalars(select(func.count()).select_from(Upload)).one() == 1
    source.close()


def test_a_worker_with_a_slow_heartbeat_keeps_others_from_moving_in(
    settings: Settings, source: Database, db: Database
) -> None:
    with db.write() as session:
        workers.add_worker(session, 1, "inference", "cpu", {})
        session.execute(update(Worker).values(beat_at=db_now(-40)))
    with pytest.raises(Conflict, match="Stop web and workers there first"):
        move_installation(settings.model_copy(update={"heartbeat_s": 20.0, "lease_s": 60.0}), lambda _: None)
    source.close()


def test_what_differs_in_the_end_is_named(
    settings: Settings, source: Database, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = relocation.copy_rows

    def forge(here: Connection, there: Database, table: Table) -> int:
        n = real(here, there, table)
        with there.write() as session:
            session.execute(text("UPDATE results SET confidence = confidence - 1 WHERE confidence IS NOT NULL"))
        return n

    monkeypatch.setattr(relocation, "copy_rows", forge)
    with pytest.raises(Conflict, match="Table results: expected 4 rows"):
        move_installation(settings, lambda _: None)
    with pytest.raises(Refused, match="has not come to its end"):
        check_schema(db)
    source.close()


def test_wrong_places_are_sentences(settings: Settings, source: Database) -> None:
    def moved(**changes: object) -> Callable[[], None]:
        return lambda: move_installation(settings.model_copy(update=changes), lambda _: None)

    for move, words in (
        (moved(database_url=""), "PAWSORT_DATABASE_URL: expected the target"),
        (moved(blob_url=""), "PAWSORT_BLOB_URL: expected the target"),
        (moved(data_dir=settings.data_dir / "nowhere"), "does not exist"),
    ):
        with pytest.raises(ClientError, match=words):
            move()
    with DataDirLock(settings.data_dir, print), pytest.raises(ClientError, match="already runs"):
        moved()()
    source.close()


def begin_move(settings: Settings, *command: str) -> "subprocess.Popen[str]":
    environment = os.environ | {
        "PAWSORT_DATABASE_URL": settings.database_url,
        "PAWSORT_BLOB_URL": settings.blob_url,
        "PAWSORT_DATA_DIR": str(settings.data_dir),
    }
    words = command or (sys.executable, "-m", "pawsort.cli", "move")
    return subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


# `pawsort move` that stands still at the nth call of a function of `core.operations.relocation`, and says so.
STANDING_STILL = """
import sys, time
from itertools import count
from pawsort.cli import main
from core.operations import relocation

name, n = sys.argv[1], int(sys.argv[2])
real, number = getattr(relocation, name), count(1)

def stand_still(*given):
    if next(number) >= n:
        print("stands still", flush=True)
        time.sleep(600)
    return real(*given)

setattr(relocation, name, stand_still)
sys.argv[1:] = ["move"]
main()
"""


def kill_at(settings: Settings, name: str, n: int) -> None:
    """Move until the nth call of a function, and kill it there."""
    process = begin_move(settings, sys.executable, "-c", STANDING_STILL, name, str(n))
    assert process.stdout is not None
    said = list(takewhile(lambda line: line != "stands still\n", process.stdout))
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL, said


@pytest.mark.slow
def test_killed_among_the_blobs_and_among_the_rows_it_goes_on(
    settings: Settings, source: Database, db: Database
) -> None:
    blobs = blobs_here(settings)
    job = make_large_job(source, blobs)
    there = Path(settings.blob_url.removeprefix("file://"))
    kill_at(settings, "_copy_blob", 10)
    assert 0 < len(list(there.rglob("*.tar"))) < N_SHARDS
    with pytest.raises(Refused, match="has not come to its end"):
        check_schema(db)
    with pytest.raises(Refused, match="has not come to its end"):
        migrate(db)

    def rows(kind: type[Image | Result]) -> int:
        with db.read() as session:
            return session.scalars(select(func.count()).select_from(kind)).one()

    before = takewhile(lambda table: table.name != "images", relocation.tables())
    n_slices = sum(-(-digest(source, table).n // relocation.SLICE) for table in before)
    kill_at(settings, "_insert", n_slices + 2)
    assert rows(Image) == relocation.SLICE < N_SHARDS * N_EACH + 1
    assert rows(Result) == 0
    last = begin_move(settings)
    said, _ = last.communicate(timeout=within(GIVE_UP_S))
    assert last.returncode == 0, said
    assert "Resuming an interrupted move." in said
    check_the_same(settings, source, db)
    with db.read() as session:
        moved = jobs.get_job(session, job)
        assert (moved.n_done, moved.n_total) == (N_EACH, N_EACH)
        assert session.scalars(select(func.count()).select_from(Shard)).one() > N_SHARDS
    source.close()


def make_large_job(db: Database, blobs: Blobs) -> UUID:
    """Uploads of a thousand pictures, each with a job; returns the last job."""
    for number in range(N_SHARDS):
        files = {f"many/{number}-{n}.jpg": os.urandom(2000) for n in range(N_EACH)}
        job = make_job(db, make_upload(db, blobs, files=files))
        run_job(db, job)
    return job
