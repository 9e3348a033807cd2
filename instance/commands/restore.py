"""`pawsort restore`: put a backup into use."""

from pathlib import Path

import click

from instance.base.core_errors import translate_core_errors
from pawsort.help import examples
from pawsort.terminal import say


@click.command(
    "restore",
    short_help="Restore a backup into an empty installation.",
    epilog=examples("pawsort restore /mnt/backups --dry-run", "pawsort restore /mnt/backups"),
)
@click.argument("source", metavar="FROM", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--backup", "name", metavar="NAME", help="Name of a backup in FROM. [default: the newest]")
@click.option("--replace", "replaces", is_flag=True, help="Replace an installation that is in use.")
@click.option("--dry-run", "is_dry_run", is_flag=True, help="Only verify the backup.")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Data directory to restore into. [default: ~/.local/share/pawsort]",
)
def command(source: Path, name: str | None, replaces: bool, is_dry_run: bool, data: Path | None) -> None:
    """Restore a backup from the folder FROM into the database and the blob store of the settings.

    Every file of the backup is verified before anything is changed. Stop Pawsort first. It restores on one machine what
    was backed up from servers, and the other way round.
    """
    with translate_core_errors():
        from core.base.config import load_settings
        from instance.admin.backup import Wanted, restore_installation

        wanted = Wanted(name, replaces, is_dry_run)
        restore_installation(load_settings(data_dir=data), source, wanted, say)
