"""`pawsort web`: the web server alone, as in the containers of docker-compose.yml."""

from typing import TYPE_CHECKING

import click

from instance.servers.exec_program import become
from instance.supervisor import programs
from instance.supervisor.child import Program

if TYPE_CHECKING:
    from core.base.config import Settings


@click.command("web")
def command() -> None:
    """Run the web server alone, on PAWSORT_HOST and PAWSORT_PORT.

    Database, blob store and broker are servers of your own, named by PAWSORT_DATABASE_URL, PAWSORT_BLOB_URL and
    PAWSORT_REDIS_URL; a wrong one stops it with a sentence. Any number may run at once.
    """
    become(_web)


def _web(settings: "Settings") -> Program:
    from core.base.config import check_secret_key

    check_secret_key(settings)
    return programs.web(settings)
