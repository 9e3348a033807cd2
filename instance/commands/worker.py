"""`pawsort worker QUEUE`: one worker, as in the containers of docker-compose.yml or on another machine."""

import os

import click

from instance.base import programs
from instance.services.exec_service import exec_service
from pawsort.help import examples


@click.command(
    "worker", short_help="Run one worker with your own servers.", epilog=examples("pawsort worker inference")
)
@click.argument("queue", type=click.Choice(programs.QUEUES))
@click.option("--without-beat", is_flag=True, help="A maintenance worker starts no Celery beat: `pawsort beat` runs.")
def command(queue: str, without_beat: bool) -> None:
    """Run one worker with your own servers: for inference, training or maintenance.

    It needs only PAWSORT_DATABASE_URL, PAWSORT_BLOB_URL and PAWSORT_REDIS_URL. Any number can run at once, on any
    machines. At least one maintenance worker has to run.
    """
    # exec keeps the process id, which is unique among the workers of this machine.
    name = f"{queue}-{os.getpid()}"
    exec_service(lambda settings: programs.worker(queue, settings, name, has_beat=not without_beat))
