"""A job as the templates show it: the counts, and sentences about how far it is."""

from dataclasses import dataclass

from core.base.states import JobState
from core.jobs.progress import JobView
from web.pages.common.words import count, duration, plural, rate

FAILED = "failed"


@dataclass(frozen=True)
class Part:
    """One stretch of the bar that shows how the labels are shared out, in percent of its width."""

    label: str
    x: str
    width: str


def n_sorted(job: JobView) -> int:
    """How many images have a result, good or not."""
    return job.n_done + job.n_failed


def percent_done(job: JobView) -> int:
    """Whole percent of what has arrived; 0 while nothing has."""
    return 100 * n_sorted(job) // job.n_total if job.n_total else 0


def progress_text(job: JobView) -> str:
    """How much is done, in words; static/jobs/job_view.js says the same."""
    if job.state == JobState.DONE:
        return f"{plural(n_sorted(job), 'file')} sorted"
    if job.state == JobState.RECEIVING and job.n_total == 0:
        return "Waiting for the first pictures"
    arrived = " that have arrived" if job.state == JobState.RECEIVING else ""
    return f"{count(n_sorted(job))} of {plural(job.n_total, 'file')}{arrived} sorted"


def progress_side(job: JobView) -> str:
    """How fast, and how long still."""
    if job.state == JobState.QUEUED:
        return "Waiting for a free worker"
    words = [rate(job.images_per_s)] if job.images_per_s and n_sorted(job) else []
    if job.state == JobState.RUNNING and job.eta_s is not None:
        words.append(f"{duration(job.eta_s)} left")
    return " · ".join(words)


def can_retry(job: JobView) -> bool:
    """Whether trying again would do anything."""
    return (
        not job.is_active
        and job.discarded_at is None
        and (job.n_failed > 0 or job.state in (JobState.CANCELLED, JobState.FAILED))
    )


def shares(job: JobView) -> list[Part]:
    """The labels' shares of everything that has a result."""
    total = n_sorted(job)
    parts: list[Part] = []
    x = 0.0
    for name, n in {**job.by_label, FAILED: job.n_failed}.items():
        width = 100 * n / total if total else 0.0
        parts.append(Part(name, f"{x:.3f}", f"{width:.3f}"))
        x += width
    return parts
