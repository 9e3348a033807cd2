"""`pawsort web`: the web server, as in the containers of docker-compose.yml."""

from typing import TYPE_CHECKING

import click

from instance.base import programs
from instance.base.programs import Program
from instance.services.exec_service import exec_service
from pawsort.help import examples

if TYPE_CHECKING:
    from core.base.config import Settings


@click.command(
    "web", short_help="Run the web server with your own servers.", epilog=examples("PAWSORT_PORT=8080 pawsort web")
)
def command() -> None:
    """Run the web server with your own servers, on PAWSORT_HOST and PAWSORT_PORT.

    PAWSORT_DATABASE_URL, PAWSORT_BLOB_URL and PAWSORT_REDIS_URL name database, blob store and broker. A wrong address
    stops it with a message. Any number can run at once.
    """
    exec_service(_web)


def _web(settings: "Settings") -> Program:
    from core.base.config import check_secret_key

    check_secret_key(settings)
    return programs.web(settings)
