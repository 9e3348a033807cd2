"""`pawsort backup`: copy the installation into a folder while it runs."""

from pathlib import Path

import click

from instance.base.core_errors import translate_core_errors
from pawsort.help import examples
from pawsort.terminal import say


@click.command(
    "backup",
    short_help="Back up the installation into a folder while it runs.",
    epilog=examples("pawsort backup /mnt/backups --daily 7 --weekly 4"),
)
@click.argument("to", type=click.Path(path_type=Path, file_okay=False))
@click.option("--daily", type=click.IntRange(1), metavar="N", help="Keep the newest backup of each of the last N days.")
@click.option("--weekly", type=click.IntRange(1), metavar="N", help="Keep the newest of each of the last N weeks.")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="DIR",
    help="Data directory. [default: ~/.local/share/pawsort]",
)
def command(to: Path, daily: int | None, weekly: int | None, data: Path | None) -> None:
    """Back up database and blob store into the folder TO while Pawsort runs.

    Further backups into the same folder copy only what is new. With --daily or --weekly older ones are deleted.
    `pawsort restore TO` restores the newest one.
    """
    with translate_core_errors():
        from core.base.config import load_settings
        from core.operations.backup.making import Keep
        from instance.admin.backup import back_up_installation

        keep = Keep(daily or 0, weekly or 0) if daily or weekly else None
        back_up_installation(load_settings(data_dir=data), to, keep, say)
