"""`pawsort queue`: pause and resume jobs or everything, let a job go first, retry failed jobs."""

from uuid import UUID

import click

from pawsort.completion import JOB
from pawsort.connect import connect, server_options
from pawsort.help import examples
from pawsort.schemas import PriorityName
from pawsort.terminal import say, show, warn


@click.group("queue", epilog=examples("pawsort queue pause", "pawsort queue first JOB", "pawsort queue retry"))
def command() -> None:
    """Pause and resume work, let a job go first, retry failed jobs."""


@command.command("pause", epilog=examples("pawsort queue pause", "pawsort queue pause JOB"))
@click.argument("job", metavar="[JOB]", type=JOB, required=False)
@server_options
def pause(job: UUID | None, server: str | None, token: str | None) -> None:
    """Pause JOB, or everything. What is being classified is finished; uploads go on."""
    with connect(server, token) as client:
        if job is None:
            client.queue.pause()
        else:
            client.jobs.pause(job)
    say("Everything is paused." if job is None else "The job is paused.")


@command.command("resume", epilog=examples("pawsort queue resume", "pawsort queue resume JOB"))
@click.argument("job", metavar="[JOB]", type=JOB, required=False)
@server_options
def resume(job: UUID | None, server: str | None, token: str | None) -> None:
    """Resume JOB, or everything. Jobs that are paused themselves stay so."""
    with connect(server, token) as client:
        if job is None:
            client.queue.resume()
        else:
            client.jobs.resume(job)
    say("Workers go on." if job is None else "The job goes on.")


@command.command("first", epilog=examples("pawsort queue first JOB", "pawsort queue first JOB --before-all"))
@click.argument("job", metavar="JOB", type=JOB)
@click.option(
    "--before-all", "priority", flag_value="before_all", help="Before the jobs of everybody, too. For admins."
)
@click.option("--no-longer", "priority", flag_value="normal", help="The job waits its turn again.")
@server_options
def first(job: UUID, priority: PriorityName | None, server: str | None, token: str | None) -> None:
    """Let JOB go before your other jobs."""
    with connect(server, token) as client:
        changed = client.jobs.set_priority(job, priority or "first")
    say("The job waits its turn." if priority == "normal" else "The job goes first.")
    show(changed)


@command.command("retry", epilog=examples("pawsort queue retry", "pawsort queue retry JOB"))
@click.argument("jobs", metavar="[JOB]…", type=JOB, nargs=-1)
@server_options
def retry(jobs: tuple[UUID, ...], server: str | None, token: str | None) -> int:
    """Retry each JOB, or all failed jobs. The exit code is 1 if some cannot be retried."""
    with connect(server, token) as client:
        retried = client.jobs.retry_failed(jobs or None)
    n = len(retried.retried)
    say(f"{n:,} {'job goes' if n == 1 else 'jobs go'} on.")
    for refusal in retried.refused:
        warn(refusal.reason)
    show(retried)
    return 1 if retried.refused else 0
