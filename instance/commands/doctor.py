"""`pawsort doctor`: check an installation, and say what to do about problems."""

import click
from rich.console import Console

from instance.base.core_errors import translate_core_errors
from pawsort.terminal import visible

MARKS = {False: ("ok", "green"), True: ("wrong", "red"), None: ("--", "dim")}


@click.command("doctor", short_help="Check the installation, and say what to do about problems.")
@click.option(
    "--orphan-age",
    "orphan_age_s",
    default=600.0,
    show_default=True,
    metavar="SECONDS",
    help="Ignore younger blobs: they may belong to a shard that is being uploaded.",
)
def command(orphan_age_s: float) -> int:
    """Check disk, page, broker, database, blob store, workers, model and orphans, and say what to do.

    The exit code is 1 if there is a problem.
    """
    console = Console(highlight=False, soft_wrap=True)
    with translate_core_errors():
        from core.base.config import load_settings
        from instance.admin.doctor import Checkup

        has_problem = False
        for finding in Checkup(load_settings(), orphan_age_s).run():
            has_problem = has_problem or bool(finding.is_wrong)
            mark, style = MARKS[finding.is_wrong]
            console.print(f"{mark:<6}", style=style, end="")
            console.print(visible(f"{finding.subject:<11} {finding.sentence}"), markup=False)
    return 1 if has_problem else 0
