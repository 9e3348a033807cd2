"""The web as it is served: a real gunicorn over the test's database."""

import os
import socket
import subprocess
from collections.abc import Iterator

import httpx2
import pytest
from flask.testing import FlaskClient

from core.base.config import Settings
from instance.base import programs
from tests.support.login import log_in
from tests.support.paths import ROOT
from tests.support.waiting import until
from web.app import App


@pytest.fixture
def browser(app: App, token: str) -> FlaskClient:
    """Somebody with a session."""
    client = app.test_client()
    log_in(client, token)
    return client


@pytest.fixture
def served(settings: Settings, app: object, token: str) -> Iterator[httpx2.Client]:
    """A client of a running server; it carries the bearer token."""
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    program = programs.web(settings, listening.fileno())
    with subprocess.Popen(
        program.command, cwd=ROOT, env=os.environ | environment(settings), pass_fds=program.fds
    ) as server:
        listening.close()
        try:
            with httpx2.Client(base_url=url, timeout=60, headers={"Authorization": f"Bearer {token}"}) as client:
                wait_until_up(client, server)
                yield client
        finally:
            server.terminate()


def environment(settings: Settings) -> dict[str, str]:
    """The settings as a child process reads them."""
    return {
        "PAWSORT_DATA_DIR": str(settings.data_dir),
        "PAWSORT_DATABASE_URL": settings.database_url,
        "PAWSORT_REDIS_URL": settings.redis_url,
        "PAWSORT_BLOB_URL": settings.blob_url,
        "PAWSORT_SECRET_KEY": settings.secret_key.get_secret_value(),
        "PAWSORT_MAX_IMAGE_BYTES": str(settings.max_image_bytes),
        "PAWSORT_MIN_FREE_BYTES": "0",
    }


def wait_until_up(client: httpx2.Client, server: subprocess.Popen[bytes]) -> None:
    """Wait for the first answer; the socket is open already, so only the start itself takes time."""

    def is_up() -> bool:
        assert server.poll() is None, "gunicorn ended at once"
        try:
            return client.get("/healthz").is_success
        except httpx2.TransportError:
            return False

    until(is_up)
