"""`pawsort alive PART`: the health checks of docker-compose.yml."""

import socket

import click

from instance.supervisor import programs
from instance.supervisor.error_messages import sentences
from pawsort.api.errors import ClientError
from pawsort.api.http_client import PawsortClient


@click.command("alive")
@click.argument("part", type=click.Choice(("web", *programs.QUEUES)))
def command(part: str) -> None:
    """Say by the exit code whether the web server, or a worker of this machine, works.

    A worker works when its last heartbeat is at most three heartbeats old (15 seconds by default).
    """
    with sentences():
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
                is_alive = any(one.queue == part and one.host == socket.gethostname() for one in alive)
            db.close()
    if not is_alive:
        raise ClientError(f"No {part} is alive on this machine.")
