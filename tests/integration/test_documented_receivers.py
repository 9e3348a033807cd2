"""The receivers of webhooks that docs/webhooks.md shows, next to an instance that calls them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from pawsort import Pawsort
from pawsort.schemas import DeliveryDetails, NewSecret
from tests.support.api_tools import npm_tools
from tests.support.deadlines import within
from tests.support.documentation.blocks import list_blocks
from tests.support.installation import Installation
from tests.support.paths import ROOT
from tests.support.ports import free_port
from tests.support.waiting import until

pytestmark = pytest.mark.slow
LOOPBACK = "127.0.0.1"
START_S = 30.0


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    settings = {"PAWSORT_DEFAULT_NETWORK": "seed-cnn", "PAWSORT_MIN_FREE_BYTES": "0", "PAWSORT_WEBHOOK_HOSTS": LOOPBACK}
    with Installation.running(tmp_path_factory.mktemp("site"), **settings) as one:
        yield one


def write_program(language: str, file: Path, secret: str, port: int) -> None:
    """Write the receiver of the page, with the secret and the port that the reader puts in."""
    (block,) = [one for one in list_blocks((ROOT / "docs" / "webhooks.md",)) if one.language == language]
    assert "whsec_…" in block.text
    text = block.text.replace("whsec_…", secret).replace("listen(3000)", f"listen({port})")
    file.write_text(text, encoding="utf-8")


def command_of(language: str, folder: Path, secret: str, port: int) -> Sequence[str | Path]:
    """Write a receiver into a folder; return what runs it."""
    if language == "python":
        write_program(language, folder / "receiver.py", secret, port)
        return (sys.executable, "-u", "-m", "flask", "--app", "receiver", "run", "--port", str(port))
    (folder / "node_modules").symlink_to(npm_tools() / "node_modules")
    write_program(language, folder / "receiver.mjs", secret, port)
    return ("node", "receiver.mjs")


@contextmanager
def running(command: Sequence[str | Path], folder: Path, address: str) -> Iterator[Path]:
    """Run a receiver; yields the file with what it prints, once it answers."""
    said = folder / "said.txt"
    environment = os.environ | {"PYTHONPATH": str(folder)}
    with (
        said.open("wb") as out,
        subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=subprocess.DEVNULL) as process,
    ):
        try:
            until(lambda: post(address, b"{}") is not None, START_S, "the receiver to answer")
            yield said
        finally:
            process.kill()


def post(address: str, body: bytes) -> int | None:
    """The status of an answer to a message without a signature; None without an answer."""
    try:
        with urlopen(Request(address, data=body, method="POST"), timeout=within(5)) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code
    except OSError:
        return None


def deliver(client: Pawsort, added: NewSecret) -> DeliveryDetails:
    """Send a test event; return its delivery once it has ended."""
    sent = client.webhooks.test(added.id)

    def find_ended() -> DeliveryDetails | None:
        delivery = client.webhooks.get_delivery(added.id, sent.id)
        return None if delivery.state == "pending" else delivery

    return until(find_ended, START_S, "the delivery to end")


@pytest.mark.parametrize("language", ["python", "js"])
def test_a_receiver_of_the_page_accepts_what_is_signed_and_nothing_else(
    site: Installation, tmp_path: Path, language: str
) -> None:
    port = free_port()
    address = f"http://{LOOPBACK}:{port}/pawsort"
    with site.client() as client:
        added = client.webhooks.create(name=language, url=address)
        with running(command_of(language, tmp_path, added.secret, port), tmp_path, address) as said:
            assert post(address, json.dumps({"type": "webhook.test", "data": {}}).encode()) == 401
            delivery = deliver(client, added)
        assert (delivery.state, [one.status for one in delivery.attempts]) == ("delivered", [204])
        assert said.read_text(encoding="utf-8").count("webhook.test") == 1
