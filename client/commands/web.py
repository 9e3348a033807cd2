"""`pawsort web`: the web server alone, as in the containers of docker-compose.yml."""

import click

from client.instance import programs
from client.instance.replacing import become


@click.command("web")
def command() -> None:
    """Run the web server alone, on PAWSORT_HOST and PAWSORT_PORT.

    Database, blob store and broker are servers of your own, named by PAWSORT_DATABASE_URL, PAWSORT_BLOB_URL and
    PAWSORT_REDIS_URL; a wrong one stops it with a sentence. Any number may run at once.
    """
    become(programs.web)
