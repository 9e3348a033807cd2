"""What only a real server shows: bodies refused while they are still being sent, chunked bodies, broken connections."""

import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from core.base.config import Settings
from core.formats.shards import max_shard_bytes
from tests.support.deadlines import within
from tests.support.factories import draw_picture, make_tar

DATABASES = ("sqlite",)  # nothing here depends on the kind
MIB = 2**20
BIG_TAR = make_tar({f"{n}.bin": bytes(MIB) for n in range(60)})
TAR = make_tar({"a.jpg": draw_picture(1), "b.jpg": draw_picture(2)})


@pytest.fixture
def address(served: httpx2.Client) -> str:
    """The path of an upload that waits for shards."""
    path = f"/api/v1/uploads/{uuid4()}"
    served.put(path, json={}).raise_for_status()
    return path


def pieces(n_bytes: int) -> Iterator[bytes]:
    """A body in pieces, so that it is sent without saying its length."""
    for _ in range(n_bytes // MIB):
        yield bytes(MIB)


def upload_with_curl(url: str, body: Path, *options: str) -> tuple[int, str]:
    """Status and body as curl sees them; it fails on a connection that was reset."""
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed")
    command = [curl, "--silent", "--show-error", "--write-out", "\n%{http_code}", "-T", str(body), *options, url]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=within(60))
    assert ran.returncode == 0, ran.stderr
    text, _, status = ran.stdout.rpartition("\n")
    return int(status), text


def test_a_chunked_shard_is_stored(served: httpx2.Client, address: str) -> None:
    answer = served.put(f"{address}/shards/0", content=iter([TAR[:700], TAR[700:5000], TAR[5000:]]))
    assert answer.status_code == 201
    assert answer.json()["n_bytes"] == len(TAR)


def test_a_chunked_body_over_the_limit_gets_its_413(served: httpx2.Client, address: str, settings: Settings) -> None:
    answer = served.put(f"{address}/shards/0", content=iter([BIG_TAR[:MIB], BIG_TAR[MIB:]]))
    assert answer.status_code == 413
    assert "limit" in answer.json()["detail"]
    assert not list((settings.data_dir / "blobs").rglob("*.tar"))


@pytest.mark.parametrize("n_mib", [1, 60])
def test_a_refusal_reaches_a_sender_who_is_still_busy(served: httpx2.Client, n_mib: int) -> None:
    path = f"/api/v1/uploads/{uuid4()}/shards/0"
    unknown = served.put(path, content=pieces(n_mib * MIB))
    assert unknown.status_code == 404
    nobody = served.put(path, content=bytes(n_mib * MIB), headers={"Authorization": "Bearer wrong"})
    assert nobody.status_code == 401


def test_curl_sees_the_refusals_too(served: httpx2.Client, address: str, settings: Settings, tmp_path: Path) -> None:
    body = tmp_path / "body"
    body.write_bytes(BIG_TAR)
    url = f"{served.base_url}{address}/shards/0"
    status, text = upload_with_curl(url, body)
    assert (status, json.loads(text)["status"]) == (401, 401)
    authorised = ("-H", f"Authorization: {served.headers['Authorization']}")
    status, text = upload_with_curl(url, body, *authorised)
    assert status == 413
    assert str(max_shard_bytes(settings.max_image_bytes)) in json.loads(text)["detail"]
    status, text = upload_with_curl(url, body, *authorised, "-H", "Transfer-Encoding: chunked")
    assert status == 413
    assert "limit" in json.loads(text)["detail"]


def test_a_connection_that_breaks_keeps_nothing_and_the_shard_can_be_sent_again(
    served: httpx2.Client, address: str, settings: Settings
) -> None:
    with socket.create_connection(("127.0.0.1", served.base_url.port or 0)) as connection:
        connection.sendall(start_of_put(served, f"{address}/shards/0", len(TAR)) + TAR[:2000])
        connection.shutdown(socket.SHUT_WR)
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 422")
    assert b"The body ended after" in answer
    assert not list((settings.data_dir / "blobs").rglob("*.tar"))
    assert served.put(f"{address}/shards/0", content=TAR).status_code == 201


def test_a_chunked_body_that_breaks_off_is_422(served: httpx2.Client, address: str) -> None:
    with socket.create_connection(("127.0.0.1", served.base_url.port or 0)) as connection:
        chunk = b"%x\r\n" % 2000 + TAR[:2000] + b"\r\n"
        connection.sendall(start_of_put(served, f"{address}/shards/0", None) + chunk)
        connection.shutdown(socket.SHUT_WR)
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 422")


def test_a_connection_is_used_again_after_an_error(served: httpx2.Client, address: str) -> None:
    for _ in range(3):
        assert served.put(f"{address}/shards/0", content=TAR[:1024]).status_code == 422
    assert served.put(f"{address}/shards/0", content=TAR).status_code == 201


def start_of_put(client: httpx2.Client, path: str, length: int | None) -> bytes:
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    lines = [f"PUT {path} HTTP/1.1", "Host: localhost", f"Authorization: {client.headers['Authorization']}", framing]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def test_the_commands_of_the_help_page_run_as_they_stand(served: httpx2.Client, token: str, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    (tmp_path / "photos").mkdir()
    for n in range(3):
        (tmp_path / "photos" / f"{n}.jpg").write_bytes(draw_picture(n))
    page = served.get("/help", headers={"Accept": "text/html"}).text
    commands = [unescape(command) for command in re.findall(r"<pre data-command>(.*?)</pre>", page, re.DOTALL)]
    assert len(commands) == 3
    job, said = str(uuid4()), []
    for command in commands:
        environment = {"PATH": os.environ["PATH"], "TOKEN": token, "JOB": job}
        ran = subprocess.run(
            ["sh", "-c", command], cwd=tmp_path, env=environment, capture_output=True, timeout=within(60)
        )
        assert ran.returncode == 0, ran.stderr
        said.append(ran.stdout)
    assert json.loads(said[0])["id"] == json.loads(said[1])["id"] == job
    assert json.loads(said[1])["counts"]["total"] == 3
    assert (tmp_path / "photos.csv").read_text().startswith("path,label,confidence")
