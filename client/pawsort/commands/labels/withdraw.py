"""`pawsort withdraw`: withdraw the labels that the folders of a job's upload gave."""

import sys
from uuid import UUID

import click

from pawsort.api.errors import ClientError
from pawsort.completion import JOB
from pawsort.connect import connect, server_options
from pawsort.help import examples
from pawsort.terminal import say, show


@click.command("withdraw", epilog=examples("pawsort withdraw JOB", "pawsort withdraw JOB --yes --json"))
@click.argument("job", metavar="JOB", type=JOB)
@click.option("--yes", is_flag=True, help="Do not ask.")
@server_options
def command(job: UUID, yes: bool, server: str | None, token: str | None) -> None:
    """Withdraw all labels that the folders of JOB's upload gave; people's labels are kept.

    To get them back, upload the folder again.
    """
    with connect(server, token) as client:
        upload = client.jobs.get(job).upload
        if not upload:
            raise ClientError(f"Job {job} is no classification. Open its page to withdraw the labels of its folders.")
        n_labels = client.uploads.count_labels(upload).n_labels
        if n_labels and not yes and sys.stdin.isatty():
            click.confirm(f"Withdraw {_labels(n_labels)}?", abort=True, err=True)
        withdrawn = client.uploads.withdraw_labels(upload)
    say(f"{_labels(withdrawn.n_labels)} withdrawn.")
    show(withdrawn)


def _labels(n: int) -> str:
    return "1 label of a folder" if n == 1 else f"{n:,} labels of folders"
