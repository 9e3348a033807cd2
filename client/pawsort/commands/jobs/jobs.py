"""`pawsort jobs`: list the jobs and their progress, or show one of them."""

import itertools
from collections import Counter
from typing import Any, get_args
from uuid import UUID

import click

from pawsort.client.pawsort import Pawsort
from pawsort.completion import JOB
from pawsort.connect import connect, server_options
from pawsort.help import examples
from pawsort.schemas import Job, JobStateFilter
from pawsort.terminal import TextTable, say, show

NUMBERS = ("images", "cat", "dog", "unsure", "neither?", "failed")
STATES: tuple[JobStateFilter, ...] = get_args(JobStateFilter)


@click.group(
    "jobs",
    invoke_without_command=True,
    epilog=examples(
        "pawsort jobs",
        "pawsort jobs --state active --limit 5 --json",
        "pawsort jobs --search 'garden anna'",
        "pawsort jobs show JOB",
    ),
)
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), metavar="N", help="How many to list.")
@click.option("--state", type=click.Choice(STATES), help="Only jobs in this state; active: not ended yet.")
@click.option("--tag", metavar="TAG", help="Only jobs with this tag.")
@click.option(
    "--search",
    metavar="WORDS",
    help="Only jobs with each of these words in the name, a tag, the person or the network, or as the model's number.",
)
@server_options
@click.pass_context
def command(context: click.Context, /, limit: int, server: str | None, token: str | None, **filters: Any) -> None:
    """List the jobs, newest first. `pawsort jobs show` shows one.

    Pictures under neither? are unsure and probably neither cats nor dogs.
    """
    if context.invoked_subcommand is not None:
        return
    with connect(server, token) as client:
        jobs = list(itertools.islice(client.jobs.list(**filters), limit))
    if not jobs and any(filters.values()):
        say("There are no such jobs.")
    elif not jobs:
        say("There are no jobs yet. `pawsort classify FOLDER` creates one.")
    table = TextTable("job", "name", "state", *NUMBERS, right=NUMBERS)
    for job in jobs:
        counts = job.counts
        labels = [counts.by_label.get(label, 0) for label in ("cat", "dog", "unsure")]
        numbers = (counts.n_images, *labels, counts.probably_neither or 0, counts.failed)
        table.add_row(job.id, job.name, _state(job), *(f"{n:,}" for n in numbers))
    show(jobs, table if jobs else ())


@command.command("show", epilog=examples("pawsort jobs show JOB", "pawsort jobs show JOB --json"))
@click.argument("job", metavar="JOB", type=JOB)
@server_options
def show_job(job: UUID, server: str | None, token: str | None) -> None:
    """Show a job: its state and progress, counts by label, errors by kind, model version, threshold and addresses."""
    with connect(server, token) as client:
        found = client.jobs.get(job)
        details = {
            **found.json,
            "errors": _count_errors(client, found),
            "network": client.models.get(found.version).network if found.version else None,
            "links": _links(client.server, found),
        }
    show(details, _describe(found, details))


def _count_errors(client: Pawsort, job: Job) -> dict[str | None, int]:
    """How many images have which error. Most jobs have few."""
    if not job.counts.failed:
        return {}
    return dict(Counter(result.error_code for result in client.jobs.results(job, error_code="any")))


def _links(server: str, job: Job) -> dict[str, str]:
    address = f"{server}/api/v1/jobs/{job.id}"
    return {"page": f"{server}/jobs/{job.id}", "api": address} | (
        {"results": f"{address}/results", "export": f"{address}/export.csv"} if job.upload else {}
    )


def _describe(job: Job, details: dict[str, Any]) -> list[str]:
    counts = job.counts
    labels = ", ".join(f"{n:,} {label}" for label, n in counts.by_label.items())
    errors = ", ".join(f"{n:,} {code}" for code, n in details["errors"].items())
    lines = {
        "job": job.id,
        "name": job.name,
        "kind": job.kind,
        "state": _state(job) + (f": {job.error}" if job.error else ""),
        "progress": _progress(job),
        "labels": labels,
        "failed": f"{counts.failed:,}" + (f" ({errors})" if errors else ""),
        "model": f"version {job.version} ({details['network']})" if job.version else "",
        "threshold": f"{job.threshold:.3f}" if job.upload else "",
        **{name: details[f"{name}_at"] or "" for name in ("created", "started", "finished")},
        **details["links"],
    }
    return [f"{name:<10} {value}" for name, value in lines.items() if value]


def _progress(job: Job) -> str:
    counts = job.counts
    parts = [f"{counts.done + counts.failed:,} of {counts.n_images:,} images"]
    if rate := job.images_per_s:
        parts.append(f"{rate:,.0f} images/s")
    if left := job.eta_s:
        parts.append(f"about {left:,.0f} s left")
    return ", ".join(parts)


def _state(job: Job) -> str:
    return f"{job.state}, paused" if job.paused else job.state
