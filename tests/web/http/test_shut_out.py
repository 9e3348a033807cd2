"""Somebody who is shut out while sending or downloading: cut within seconds, and nothing half-sent stays."""

import io
import os
import socket
import tarfile
import threading
import time
from collections.abc import Callable
from uuid import UUID, uuid4

import httpx2
import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.accounts import accounts, people, sessions, tokens
from core.base.config import Settings
from core.base.database import Database
from core.orm.uploads import Shard, Upload
from core.storage.blobs import Blobs
from tests.support.deadlines import within
from tests.support.factories import draw_picture, make_job, make_tar, make_upload, read_results, run_job
from tests.support.login import csrf_in, log_in
from web.app import App
from web.http.auth import still_lets_in
from web.receiving import bodies

DATABASES = ("sqlite",)  # nothing here depends on the kind

TAR = make_tar({f"{n:03}.jpg": draw_picture(n % 8) for n in range(600)})  # three shards
PIECE = 2**14
PACE_S = 0.05
PROMISED_S = 5.0
LARGE = 24 * 2**20


class Body(io.BytesIO):
    """A body, in the middle of which something happens."""

    def __init__(self, data: bytes, happens: Callable[[], object]) -> None:
        super().__init__(data)
        self._half = len(data) // 2
        self._happens: Callable[[], object] | None = happens

    def read(self, n: int | None = -1) -> bytes:
        if self._happens is not None and self.tell() > self._half:
            self._happens()
            self._happens = None
        return super().read(min(n, PIECE) if n and n > 0 else PIECE)

    read1 = read


@pytest.fixture
def always_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "CHECK_S", 0.0)


@pytest.fixture
def ada(app: App, db: Database) -> FlaskClient:
    """A member with a session."""
    with db.write() as session:
        token = tokens.create_token(session, "hers", accounts.get_or_create_user(session, "ada"))
    client = app.test_client()
    log_in(client, token)
    return client


def revoke(session: Session, user_id: int) -> None:
    for token in tokens.list_tokens(session, user_id):
        tokens.revoke_token(session, people.act_as_owner(session), token.id)


def end(session: Session, user_id: int) -> None:
    sessions.end_sessions(session, user_id)


def disable(session: Session, user_id: int) -> None:
    people.disable(session, people.act_as_owner(session), "ada")


@pytest.mark.parametrize("shut_out", [revoke, end, disable])
@pytest.mark.usefixtures("always_checked")
def test_the_rest_of_an_archive_is_refused_and_its_half_shard_discarded(
    ada: FlaskClient, db: Database, settings: Settings, shut_out: Callable[[Session, int], None]
) -> None:
    def happen() -> None:
        with db.write() as session:
            shut_out(session, accounts.get_or_create_user(session, "ada").id)

    uuid = uuid4()
    headers = {"X-CSRF-Token": csrf_in(ada.get("/").text)}
    path = f"/api/v1/archives?id={uuid}"
    answer = ada.put(path, input_stream=Body(TAR, happen), content_length=len(TAR), headers=headers)
    assert answer.status_code == 401, answer.text
    assert "session has ended" in answer.text
    assert stored(db, uuid) == ("receiving", 1)
    assert len(list((settings.data_dir / "blobs").rglob("*.tar"))) == 1


@pytest.mark.usefixtures("always_checked")
def test_a_shard_of_somebody_who_became_a_viewer_is_refused(app: App, db: Database) -> None:
    with db.write() as session:
        token = tokens.create_token(session, "hers", accounts.get_or_create_user(session, "ada"))

    def happen() -> None:
        with db.write() as session:
            people.set_role(session, people.act_as_owner(session), "ada", people.check_role("viewer"))

    client, uuid = app.test_client(), uuid4()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    assert client.put(f"/api/v1/uploads/{uuid}", json={}).status_code == 201
    shard = make_tar({f"{n}.jpg": draw_picture(n) for n in range(8)})
    answer = client.put(f"/api/v1/uploads/{uuid}/shards/0", input_stream=Body(shard, happen), content_length=len(shard))
    assert answer.status_code == 403, answer.text
    assert stored(db, uuid) == ("receiving", 0)


def test_a_token_that_is_revoked_while_it_sends_is_refused_within_seconds(served: httpx2.Client, db: Database) -> None:
    with db.write() as session:
        token = tokens.create_token(session, "script")
        token_id = tokens.list_tokens(session)[0].id
    entry = tarfile.TarInfo("endless.bin")
    entry.size = 2**32
    head = f"PUT /api/v1/archives HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
    began = threading.Event()
    is_over = threading.Event()

    def send(connection: socket.socket) -> None:
        """A few kilobytes at a time, as on a slow line; it never ends by itself."""
        connection.sendall(f"{head}Content-Length: {entry.size}\r\n\r\n".encode() + entry.tobuf())
        for n in range(10_000):
            if n == 10:
                began.set()
            if is_over.wait(PACE_S):
                return
            connection.sendall(bytes(4096))

    with socket.create_connection((served.base_url.host, served.base_url.port or 0), within(30)) as connection:
        sending = threading.Thread(target=send, args=(connection,))
        sending.start()
        assert began.wait(within(30))
        with db.write() as session:
            tokens.revoke_token(session, people.act_as_owner(session), token_id)
        revoked_at = time.monotonic()
        answer = b"".join(iter(lambda: connection.recv(2**16), b"")).decode()
        took_s = time.monotonic() - revoked_at
        is_over.set()
        sending.join()
    assert answer.startswith("HTTP/1.1 401"), answer
    assert "token has ended: it was revoked" in answer
    assert took_s < within(PROMISED_S)


@pytest.mark.slow
def test_downloads_end_within_seconds_once_their_person_is_shut_out(
    served: httpx2.Client, db: Database, blobs: Blobs
) -> None:
    """A whole export, and one original, which is sent as one piece; both are read as on a slow line."""
    job = make_job(db, make_upload(db, blobs, {"large.bin": os.urandom(LARGE)}))
    run_job(db, job)
    image = read_results(db, job)[0].image_id
    for path, shut_out in ((f"jobs/{job}/export.zip", revoke), (f"images/{image}/original", disable)):
        with db.write() as session:
            person = accounts.get_or_create_user(session, "ada")
            token, person_id = tokens.create_token(session, "hers", person), person.id
        head = f"GET /api/v1/{path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, PIECE)
            connection.connect((served.base_url.host, served.base_url.port or 0))
            connection.settimeout(within(30))
            connection.sendall(head.encode())
            assert connection.recv(PIECE).startswith(b"HTTP/1.1 200")
            with db.write() as session:
                shut_out(session, person_id)
            shut_out_at = time.monotonic()
            n_received = read_slowly(connection)
        assert time.monotonic() - shut_out_at < within(PROMISED_S), path
        assert n_received < LARGE // 2, path


def read_slowly(connection: socket.socket) -> int:
    """Read to the end, which may be a broken connection; returns the number of bytes."""
    n_bytes = 0
    try:
        while data := connection.recv(PIECE):
            n_bytes += len(data)
            time.sleep(PACE_S / 10)
    except ConnectionResetError:
        pass
    return n_bytes


def stored(db: Database, uuid: UUID) -> tuple[str, int]:
    """The state of an upload, and the number of its shards."""
    with db.read() as session:
        upload = session.scalars(select(Upload).where(Upload.uuid == uuid)).one()
        n_shards = session.scalar(select(func.count()).select_from(Shard).where(Shard.upload_id == upload.id))
        return upload.state, n_shards or 0


@pytest.mark.parametrize("shut_out", [revoke, disable])
def test_a_token_that_was_revoked_lets_no_stream_go_on(
    app: App, db: Database, shut_out: Callable[[Session, int], None]
) -> None:
    with db.write() as session:
        person = accounts.get_or_create_user(session, "ada")
        token, person_id = tokens.create_token(session, "hers", person), person.id
    with app.test_request_context(headers={"Authorization": f"Bearer {token}"}):
        lets_in = still_lets_in()
    with db.write() as session:
        assert lets_in(session)
        shut_out(session, person_id)
        assert not lets_in(session)
