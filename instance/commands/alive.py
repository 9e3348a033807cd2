"""`pawsort alive PART`: the health checks of docker-compose.yml."""

import socket

import click

from instance.base import programs
from instance.base.core_errors import translate_core_errors
from pawsort.api.errors import ClientError
from pawsort.api.http_client import PawsortClient


@click.command("alive", short_help="Health check of the web server, or of a worker on this machine.")
@click.argument("part", type=click.Choice(("web", *programs.QUEUES)))
def command(part: str) -> None:
    """Health check: exit with 0 if the web server, or a worker on this machine, is alive.

    A worker is alive if its last heartbeat is at most three heartbeats old (15 seconds by default).
    """
    with translate_core_errors():
        from core.base.config import load_settings

        settings = load_settings()
        if part == "web":
            with PawsortClient(f"http://127.0.0.1:{settings.port}", "") as client:
                is_alive = client.is_ready()
        else:
            from core.base.database import Database
            from core.operations.workers import list_alive

            db = Database(settings.sql_url, pool_size=1)
            with db.read() as session:
                alive = list_alive(session, settings.alive_s)
                is_alive = any(worker.queue == part and worker.host == socket.gethostname() for worker in alive)
            db.close()
    if not is_alive:
        raise ClientError(f"No {part} is alive on this machine.")
