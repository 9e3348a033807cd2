"""`pawsort doctor`: check an installation, and say what to do about problems."""

from dataclasses import asdict

import click

from instance.base.core_errors import translate_core_errors
from pawsort.help import examples
from pawsort.terminal import current_output, echo

MARKS = {False: ("ok", "green"), True: ("wrong", "red"), None: ("--", "bright_black")}


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
    output, findings = current_output(), []
    with translate_core_errors():
        from core.base.config import load_settings
        from instance.admin.doctor import Checkup

        for finding in Checkup(load_settings(), orphan_age_s).run():
            findings.append(asdict(finding))
            mark, colour = MARKS[finding.is_wrong]
            if not output.is_json:
                echo(f"{finding.subject:<11} {finding.sentence}", colour=colour, mark=f"{mark:<6}")
    output.show(findings)
    return 1 if any(finding["is_wrong"] for finding in findings) else 0
