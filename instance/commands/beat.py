"""`pawsort beat`: Celery beat, as in docker-compose.beat.yml."""

import click

from instance.base import programs
from instance.services.exec_service import exec_service
from pawsort.help import examples


@click.command("beat", short_help="Run Celery beat as a program of its own.", epilog=examples("pawsort beat"))
def command() -> None:
    """Run Celery beat as a program of its own, for maintenance workers that run with --without-beat.

    It needs only PAWSORT_REDIS_URL. One is enough; several do no harm.
    """
    exec_service(lambda _: programs.beat(), servers=("broker",))
