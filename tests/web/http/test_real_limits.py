"""Servers and disks that are really full, read-only or crowded: each has a status of its own, and reading goes on."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, make_url, text
from werkzeug.test import TestResponse

from core.base.config import Settings
from core.base.database import Database
from core.base.errors import Refused, Unavailable
from tests.support.factories import make_tar
from tests.support.pictures import jpeg
from tests.support.postgresql import only_reading
from tests.support.small_disk import fill, small_disk
from web.app import App, create_app

MANY = 400  # rows that a page of SQLite cannot hold


def check_problem(answer: TestResponse, status: int, words: str) -> None:
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), answer.text
    assert words in answer.get_json()["detail"]
    assert ("Retry-After" in answer.headers) is (status == 503)


def create_upload(client: FlaskClient) -> TestResponse:
    return client.put(f"/api/v1/uploads/{uuid4()}", json={"name": "x" * 200})


@pytest.fixture
def forget_connections(app: App) -> Callable[[], None]:
    """Lets the site open its connections anew."""
    return app.extensions["pawsort"].db.engine.dispose


@pytest.fixture
def only_reads(db: Database) -> Iterator[None]:
    """The database as it is on a standby, for connections from now on."""
    if db.engine.dialect.name != "postgresql":
        pytest.skip("only servers have standbys")
    with only_reading(db):
        yield


def test_a_server_that_only_reads_is_503_for_writes_and_is_read(
    client: FlaskClient, only_reads: None, forget_connections: Callable[[], None], sql_url: str
) -> None:
    forget_connections()
    check_problem(create_upload(client), 503, "accepts no changes")
    assert client.get("/api/v1/jobs").status_code == 200
    database = Database(sql_url)
    with pytest.raises(Unavailable, match="only reads"):
        database.check_writable()
    database.close()


@pytest.fixture
def crowded(db: Database, sql_url: str) -> Iterator[str]:
    """The address for a user who may have no more connections."""
    if db.engine.dialect.name != "postgresql":
        pytest.skip("only servers count connections")
    name = f"crowded_{os.urandom(4).hex()}"
    with db.write() as session:
        session.execute(text(f"CREATE ROLE {name} LOGIN CONNECTION LIMIT 0"))
    yield make_url(sql_url).set(username=name).render_as_string(hide_password=False)
    with db.write() as session:
        session.execute(text(f"DROP ROLE {name}"))


def test_too_many_connections_are_503_and_no_wrong_password(
    settings: Settings, crowded: str, headers: dict[str, str]
) -> None:
    app = create_app(settings.model_copy(update={"database_url": crowded}))
    answer = app.test_client().get("/api/v1/jobs", headers=headers)
    check_problem(answer, 503, "not responding")
    with pytest.raises(Unavailable, match="too many connections") as caught:
        app.extensions["pawsort"].db.ping()
    assert not isinstance(caught.value, Refused)
    app.extensions["pawsort"].db.close()


def test_a_full_sqlite_is_507_and_deleting_makes_room(
    client: FlaskClient, app: App, forget_connections: Callable[[], None]
) -> None:
    engine = app.extensions["pawsort"].db.engine
    if engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL's disk is its server's")
    with engine.connect() as connection:
        n_pages = connection.execute(text("PRAGMA page_count")).scalar_one()
    event.listen(engine, "connect", lambda one, _: one.execute(f"PRAGMA max_page_count = {n_pages}"))
    forget_connections()
    uploads = [f"/api/v1/uploads/{uuid4()}" for _ in range(MANY)]
    answers = (client.put(upload, json={"name": "x" * 200}) for upload in uploads)
    refused = next(answer for answer in answers if answer.status_code != 201)
    check_problem(refused, 507, "disk")
    assert client.get("/api/v1/jobs").status_code == 200
    assert client.delete(uploads[0]).status_code == 202


@pytest.mark.parametrize("options", [{"size": "256k"}, {"size": "64m", "nr_inodes": "12"}], ids=["bytes", "files"])
def test_a_full_folder_is_507_and_the_upload_goes_on_when_there_is_room(
    settings: Settings, headers: dict[str, str], tmp_path: Path, options: dict[str, str]
) -> None:
    shard, upload = make_tar({"a/1.jpg": jpeg(size=(320, 240)) + bytes(100_000)}), f"/api/v1/uploads/{uuid4()}"
    with small_disk(tmp_path / "disk", **options) as disk:
        app = create_app(settings.model_copy(update={"blob_url": (disk / "blobs").as_uri()}))
        client = app.test_client()
        assert client.put(upload, json={"name": "x"}, headers=headers).status_code == 201
        fillers = [fill(disk)] if "nr_inodes" not in options else take_all_files(disk)
        check_problem(client.put(f"{upload}/shards/0", data=shard, headers=headers), 507, "The server's disk is")
        for path in fillers:
            path.unlink()
        assert client.put(f"{upload}/shards/0", data=shard, headers=headers).status_code == 201
        app.extensions["pawsort"].db.close()


def take_all_files(disk: Path) -> list[Path]:
    """Make empty files until there can be no more."""
    paths: list[Path] = []
    try:
        while True:
            path = disk / f"filler-{len(paths)}"
            path.touch()
            paths.append(path)
    except OSError:
        return paths
