"""`pawsort alive PART`: the health checks of docker-compose.yml."""

import http
import http.client

import click

from instance.base import programs
from instance.base.core_errors import translate_core_errors
from pawsort.api.errors import ClientError

TIMEOUT_S = 5.0


@click.command("alive", short_help="Health check of the web server, of beat, or of a worker on this machine.")
@click.argument("part", type=click.Choice(("web", "beat", *programs.QUEUES)))
def command(part: str) -> None:
    """Health check: exit with 0 if the web server, `pawsort beat` or a worker on this machine is alive.

    A worker is alive if its last heartbeat is at most three heartbeats old (15 seconds by default).
    """
    with translate_core_errors():
        from core.base.config import load_settings

        settings = load_settings()
        if part == "web":
            is_alive = _answers(settings.port)
        else:
            from core.operations.alive_file import AliveFile

            is_alive = AliveFile(settings.data_dir, part).is_fresh(settings.alive_s)
    if not is_alive:
        raise ClientError(f"No {part} is alive on this machine.")


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
