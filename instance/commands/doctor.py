"""`pawsort doctor`: is everything as it should be, and if not, what to do."""

import click
from rich.console import Console

from instance.supervisor.error_messages import sentences

MARKS = {False: ("ok", "green"), True: ("wrong", "red"), None: ("--", "dim")}


@click.command("doctor")
@click.option(
    "--orphan-age",
    "orphan_age_s",
    default=600.0,
    show_default=True,
    metavar="SECONDS",
    help="Blobs younger than this may belong to a shard that is just arriving.",
)
def command(orphan_age_s: float) -> int:
    """Check disk, page, broker, database, blob store, workers, model and orphans.

    The exit code is 1 when something is wrong.
    """
    console = Console(highlight=False, soft_wrap=True)
    with sentences():
        from core.base.config import load_settings
        from instance.admin.doctor import Checkup

        wrong = False
        for finding in Checkup(load_settings(), orphan_age_s).run():
            wrong = wrong or bool(finding.is_wrong)
            word, style = MARKS[finding.is_wrong]
            console.print(f"{word:<6}", style=style, end="")
            console.print(f"{finding.subject:<11} {finding.sentence}", markup=False)
    return 1 if wrong else 0
