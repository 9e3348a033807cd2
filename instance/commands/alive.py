"""`pawsort alive PART`: the health checks of docker-compose.yml."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from instance.base import programs
from instance.base.core_errors import translate_core_errors
from pawsort.api.errors import ClientError
from pawsort.help import examples
from pawsort.terminal import show

if TYPE_CHECKING:
    from core.base.config import Settings

TIMEOUT_S = 5.0


@click.command(
    "alive",
    short_help="Health check of the web server, of beat, or of a worker on this machine.",
    epilog=examples("pawsort alive web", "pawsort alive inference --quiet || systemctl restart pawsort"),
)
@click.argument("part", type=click.Choice(("web", "beat", *programs.QUEUES)))
def command(part: str) -> None:
    """Health check: exit with 0 if the web server, `pawsort beat` or a worker on this machine is alive.

    A worker is alive if its last heartbeat is at most three heartbeats old (15 seconds by default).
    """
    with translate_core_errors():
        from core.base.config import load_settings

        settings = load_settings()
        problem = _check_web(settings) if part == "web" else _check_heartbeat(settings, part)
    if problem:
        raise ClientError(problem)
    show({"part": part, "is_alive": True})


def _check_web(settings: "Settings") -> str:
    """Ask the instance that runs on the data directory, or else a single web server at its port."""
    from instance.supervisor.attach import find_running

    record = find_running(settings.data_dir)
    address = urlsplit(record.address) if record else None
    host, port = (address.hostname, address.port) if address else ("127.0.0.1", settings.port)
    if host and port and _answers(host, port):
        return ""
    return f"No web is alive on this machine: nothing answers at {host}, port {port}."


def _check_heartbeat(settings: "Settings", part: str) -> str:
    from core.operations.alive_file import AliveFile

    if AliveFile(settings.data_dir, part).is_fresh(settings.alive_s):
        return ""
    return f"No {part} is alive on this machine: it has no heartbeat in the data directory {settings.data_dir}."


def _answers(host: str, port: int) -> bool:
    import http.client

    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
