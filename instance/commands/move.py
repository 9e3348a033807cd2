"""`pawsort move`: from one machine into the servers of a team."""

from pathlib import Path

import click

from instance.supervisor.error_messages import sentences


@click.command("move")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="DIR",
    help="Data directory to copy; ~/.local/share/pawsort.",
)
def command(data: Path | None) -> None:
    """Copy the installation of this machine into the servers that PAWSORT_DATABASE_URL and PAWSORT_BLOB_URL name.

    Stop `pawsort up` first. Every blob and row is compared by its digest at the end; jobs under way end on the other
    side. Broken off, it goes on when it is run again. Nothing is changed here.
    """
    with sentences():
        from core.base.config import load_settings
        from instance.admin.relocate import move_installation

        move_installation(load_settings(data_dir=data), click.echo)
