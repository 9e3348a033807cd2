"""`pawsort doctor`: check an installation, and say what to do about problems."""

from dataclasses import asdict

import click

from instance.base.core_errors import translate_core_errors
from pawsort.help import examples
from pawsort.terminal import current_output, visible

MARKS = {False: ("ok", "green"), True: ("wrong", "red"), None: ("--", "dim")}


@click.command(
    "doctor",
    short_help="Check the installation, and say what to do about problems.",
    epilog=examples("pawsort doctor", "pawsort doctor --json | jq '.[] | select(.is_wrong)'"),
)
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
    from rich.console import Console  # slow to import, and `pawsort --help` imports this module

    output, findings = current_output(), []
    console = Console(highlight=False, soft_wrap=True, quiet=output.is_json)
    with translate_core_errors():
        from core.base.config import load_settings
        from instance.admin.doctor import Checkup

        for finding in Checkup(load_settings(), orphan_age_s).run():
            findings.append(asdict(finding))
            mark, style = MARKS[finding.is_wrong]
            console.print(f"{mark:<6}", style=style, end="")
            console.print(visible(f"{finding.subject:<11} {finding.sentence}"), markup=False)
    output.show(findings)
    return 1 if any(finding["is_wrong"] for finding in findings) else 0
