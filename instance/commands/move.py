"""`pawsort move`: copy an installation from one machine to the servers of a team."""

from pathlib import Path

import click

from instance.base.core_errors import translate_core_errors
from pawsort.help import examples
from pawsort.terminal import say


@click.command(
    "move", short_help="Copy the installation to your own PostgreSQL and S3.", epilog=examples("pawsort move")
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="DIR",
    help="Data directory to copy. [default: ~/.local/share/pawsort]",
)
def command(data: Path | None) -> None:
    """Copy the installation of this machine to the servers in PAWSORT_DATABASE_URL and PAWSORT_BLOB_URL.

    Stop `pawsort up` first. Every blob and row is compared by its digest. Running jobs continue on the servers. Run it
    again to continue after an interruption. Nothing is changed on this machine.
    """
    with translate_core_errors():
        from core.base.config import load_settings
        from instance.admin.relocate import move_installation

        move_installation(load_settings(data_dir=data), say)
