"""The proxy with a certificate of one's own, from the files that docker-compose.tls.yml mounts: a real nginx."""

import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.support import compose, leftovers
from tests.support.certificates import make_certificate
from tests.support.compose import MAIN, TLS
from tests.support.deadlines import within
from tests.support.ports import free_port
from tests.support.tiny_server import Answer, Asked, tiny_server
from tests.support.waiting import until

START_S = 15.0

pytestmark = pytest.mark.skipif(compose.missing("nginx"), reason="nginx is not installed")


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """A folder with a certificate for localhost."""
    folder = tmp_path / "certificates"
    folder.mkdir()
    make_certificate(folder)
    return folder


@pytest.fixture
def web() -> Iterator[tuple[str, list[Asked]]]:
    """The address of a web server that answers everything, and what it was asked."""
    with tiny_server(Answer()) as server:
        yield server


@pytest.fixture
def page(request: pytest.FixtureRequest, env_file: Path, tmp_path: Path, certificates: Path) -> Iterator[str]:
    """The address of a proxy that runs the service's command over copies of the files that both compose files mount.

    Nobody answers behind it, unless the test has a `web`. A parameter is the file about a proxy in front of it.
    """
    behind = request.getfixturevalue("web")[0] if "web" in request.fixturenames else "http://127.0.0.1:9"
    if hasattr(request, "param"):
        (tmp_path / "proxy").mkdir()
        (tmp_path / "proxy" / "front.conf").write_text(request.param)
    proxy = compose.read(env_file, MAIN, TLS, TLS_FOLDER=str(certificates))["services"]["proxy"]
    assert [port["target"] for port in proxy["ports"]] == [8443]
    port = free_port()
    shutil.copy("/etc/nginx/mime.types", tmp_path)  # the image has its own

    def here(words: str) -> str:
        words = words.replace("http://web:8000", behind)
        words = words.replace("/etc/nginx", str(tmp_path)).replace("/tmp/nginx", str(tmp_path / "nginx"))
        return words.replace("listen 8443", f"listen {port}").replace("listen 8080", f"listen {port + 10_000}")

    for volume in proxy["volumes"]:
        if (source := Path(volume["source"])).is_file():
            copy = Path(here(volume["target"]))
            copy.parent.mkdir(exist_ok=True)
            copy.write_text(here(source.read_text()))
    command = [here(word) for word in proxy["command"]]
    if os.getuid() == 0:
        command = [word.replace("daemon off;", "daemon off; user root;") for word in command]
    environment = {"PATH": f"{os.environ['PATH']}:/usr/sbin", **leftovers.mark()}
    tested = subprocess.run([*command, "-t"], env=environment, capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stderr
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            yield f"https://localhost:{port}"
        finally:
            process.terminate()


def ask(http: httpx2.Client, address: str) -> httpx2.Response:
    """The answer of a proxy that has perhaps only just been started."""

    def answer() -> httpx2.Response | None:
        try:
            return http.get(address)
        except httpx2.ConnectError:
            return None

    return until(lambda: (found := answer()) and [found], START_S, "an answer")[0]  # a response of 502 is false


def test_the_proxy_speaks_tls_with_the_certificate_that_it_was_given(page: str, certificates: Path) -> None:
    trusted = ssl.create_default_context(cafile=str(certificates / "fullchain.pem"))
    with httpx2.Client(verify=trusted, trust_env=False, timeout=within(30)) as http:
        answer = ask(http, f"{page}/proxy-healthz")
        assert (answer.status_code, answer.text) == (200, "ok\n")
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        assert http.get(f"{page}/metrics").status_code == 404


def test_archives_pass_whatever_their_size_and_a_web_that_is_away_is_a_sentence(page: str, certificates: Path) -> None:
    """There is no web behind this proxy: what it lets through ends with the sentence, what it refuses with a 413."""
    trusted = ssl.create_default_context(cafile=str(certificates / "fullchain.pem"))
    large = bytes(9 * 2**20)
    job = "/jobs/25ce91aa-6218-41f4-a41e-5f6cbe46c898"
    with httpx2.Client(verify=trusted, trust_env=False, timeout=within(60)) as http:
        answer = ask(http, f"{page}/")
        assert answer.status_code == 502
        assert "Reload this page" in answer.text
        assert answer.headers["Retry-After"] == "5"
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        for path in ("/archives", "/api/v1/archives", f"{job}/corrections", f"/api/v1{job}/corrections"):
            assert http.post(f"{page}{path}", content=large).status_code == 502, path
        assert http.post(f"{page}/api/v1/labels", content=large).status_code == 413


@pytest.mark.parametrize(
    ("page", "seen"),
    [("", ("https", "127.0.0.1")), ("set_real_ip_from 127.0.0.1;", ("https", "203.0.113.7"))],
    indirect=["page"],
    ids=["a stranger", "a proxy in front"],
)
def test_only_a_proxy_that_is_known_says_how_a_request_came_and_from_where(
    page: str, web: tuple[str, list[Asked]], certificates: Path, seen: tuple[str, str]
) -> None:
    sent = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
    plain = page.replace("https", "http").replace(page.rpartition(":")[2], str(int(page.rpartition(":")[2]) + 10_000))
    trusted = ssl.create_default_context(cafile=str(certificates / "fullchain.pem"))
    with httpx2.Client(verify=trusted, trust_env=False, headers=sent, timeout=within(30)) as http:
        ask(http, f"{page}/proxy-healthz")
        for address in (page, plain):
            assert http.get(f"{address}/").status_code == 200
    over_tls, without = (one.headers for one in web[1])
    assert (over_tls["X-Forwarded-Proto"], over_tls["X-Forwarded-For"]) == seen
    is_known = seen[1] != "127.0.0.1"
    assert without["X-Forwarded-Proto"] == ("https" if is_known else "http")
