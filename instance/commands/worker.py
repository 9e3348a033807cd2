"""`pawsort worker QUEUE`: one worker alone, as in the containers of docker-compose.yml or on another machine."""

import os

import click

from instance.servers.exec_program import become
from instance.supervisor import programs


@click.command("worker")
@click.argument("queue", type=click.Choice(programs.QUEUES))
def command(queue: str) -> None:
    """Run one worker alone: for inference, for training, or for maintenance.

    It needs nothing but PAWSORT_DATABASE_URL, PAWSORT_BLOB_URL and PAWSORT_REDIS_URL. Any number of each may run at
    once, on any number of machines; one for maintenance has to.
    """
    # The process stays the same one, so its number tells workers of one machine apart.
    become(lambda settings: programs.worker(queue, settings, f"{queue}-{os.getpid()}"))
