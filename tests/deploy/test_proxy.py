"""The proxy with a certificate of one's own, from the files that docker-compose.tls.yml mounts: a real nginx."""

import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support import compose, leftovers
from tests.support.compose import MAIN, TLS
from tests.support.deadlines import within
from tests.support.service_folders import free_port
from tests.support.waiting import until

START_S = 15.0

pytestmark = pytest.mark.skipif(
    compose.missing("nginx") or compose.missing("openssl"), reason="nginx or openssl is not installed"
)


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """A folder with a certificate for localhost."""
    folder = tmp_path / "certificates"
    folder.mkdir()
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem"), "-days", "2"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.fixture
def page(env_file: Path, tmp_path: Path, certificates: Path) -> Iterator[str]:
    """The address of a proxy that runs the service's command over copies of the files that both compose files mount."""
    proxy = compose.read(env_file, MAIN, TLS, TLS_FOLDER=str(certificates))["services"]["proxy"]
    assert [port["target"] for port in proxy["ports"]] == [8443]
    port = free_port()
    shutil.copy("/etc/nginx/mime.types", tmp_path)  # the image has its own

    def here(words: str) -> str:
        words = words.replace("http://web:8000", "http://127.0.0.1:9")  # nobody answers there
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


def ask(http: httpx.Client, address: str) -> httpx.Response:
    """The answer of a proxy that has perhaps only just been started."""

    def answer() -> httpx.Response | None:
        try:
            return http.get(address)
        except httpx.ConnectError:
            return None

    return until(lambda: (found := answer()) and [found], START_S, "an answer")[0]  # a response of 502 is false


def test_the_proxy_speaks_tls_with_the_certificate_that_it_was_given(page: str, certificates: Path) -> None:
    trusted = ssl.create_default_context(cafile=str(certificates / "fullchain.pem"))
    with httpx.Client(verify=trusted, trust_env=False) as http:
        answer = ask(http, f"{page}/proxy-healthz")
        assert (answer.status_code, answer.text) == (200, "ok\n")
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        assert http.get(f"{page}/metrics").status_code == 404


def test_archives_pass_whatever_their_size_and_a_web_that_is_away_is_a_sentence(page: str, certificates: Path) -> None:
    """There is no web behind this proxy: what it lets through ends with the sentence, what it refuses with a 413."""
    trusted = ssl.create_default_context(cafile=str(certificates / "fullchain.pem"))
    large = bytes(9 * 2**20)
    job = "/jobs/25ce91aa-6218-41f4-a41e-5f6cbe46c898"
    with httpx.Client(verify=trusted, trust_env=False, timeout=within(60)) as http:
        answer = ask(http, f"{page}/")
        assert answer.status_code == 502
        assert "Reload this page" in answer.text
        assert answer.headers["Retry-After"] == "5"
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        for path in ("/archives", "/api/v1/archives", f"{job}/corrections", f"/api/v1{job}/corrections"):
            assert http.post(f"{page}{path}", content=large).status_code == 502, path
        assert http.post(f"{page}/api/v1/labels", content=large).status_code == 413
