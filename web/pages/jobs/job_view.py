"""A job as the templates show it: counts, and its progress in words."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from core.base.network_catalog import CLASSES
from core.base.states import JobState
from core.jobs.confidence import UNSURE
from core.jobs.control.pausing import Pause
from core.jobs.navigation import Histogram
from core.jobs.progress import JobView
from core.jobs.result_filter import PROBABLE
from web.pages.common import words
from web.pages.common.words import count, duration, plural, rate
from web.pages.jobs.picture_filter import PictureFilter

FAILED = "failed"


@dataclass(frozen=True)
class Section:
    """One section of the bar of labels, in percent of its width."""

    label: str
    x: str
    width: str


@dataclass(frozen=True)
class CountTile:
    """A number of pictures, which is also a filter.

    Attributes:
        name: Of the number, for the scripts.
        label: Whose colour it has; None for no colour.
        changes: The attributes of the filter that it sets.
        is_optional: It is hidden while it is zero.
    """

    name: str
    n: int
    words: str
    label: str | None
    changes: Mapping[str, str | None]
    is_optional: bool = False

    @property
    def query(self) -> str:
        """The changes for static/jobs/filter/filter.js; an empty value removes a filter."""
        return urlencode({name: value or "" for name, value in self.changes.items()})

    def is_shown(self, filters: PictureFilter) -> bool:
        """Whether the filter has the values of this tile."""
        return all(getattr(filters, name) == value for name, value in self.changes.items())


def n_sorted(job: JobView) -> int:
    """How many files have a result, good or failed."""
    return job.n_done + job.n_failed


def percent_done(job: JobView) -> int:
    """The sorted share of the uploaded files, in whole percent; 0 if nothing was uploaded."""
    return 100 * n_sorted(job) // job.n_total if job.n_total else 0


def progress_short(job: JobView) -> str:
    """The progress in the title; while files arrive, a percentage of them would go back."""
    return f"{count(n_sorted(job))} sorted" if job.state == JobState.RECEIVING else f"{percent_done(job)} %"


def progress_text(job: JobView) -> str:
    """The progress in words; static/jobs/job_view.js does the same."""
    if job.state == JobState.DONE:
        return f"Sorted {plural(n_sorted(job), 'file')}"
    if job.state == JobState.RECEIVING and job.n_total == 0:
        return "Waiting for the first pictures"
    uploaded = "uploaded " if job.state == JobState.RECEIVING else ""
    return f"Sorted {count(n_sorted(job))} of {count(job.n_total)} {uploaded}{'file' if job.n_total == 1 else 'files'}"


def is_stalled(job: JobView) -> bool:
    """Whether there is work, and no worker for it."""
    return job.n_workers == 0 and job.pause is None and job.is_active and n_sorted(job) < job.n_total


def progress_side(job: JobView) -> str:
    """The speed and the time left."""
    if job.pause is not None:
        return "" if job.pause is Pause.JOB else "All sorting is paused"
    if is_stalled(job):
        return "No worker is running"
    if job.state == JobState.QUEUED:
        return "Waiting for a free worker"
    words = [rate(job.images_per_s)] if job.images_per_s and n_sorted(job) else []
    if job.state == JobState.RUNNING and job.eta_s is not None:
        words.append(f"{duration(job.eta_s)} left")
    return " · ".join(words)


def can_retry(job: JobView) -> bool:
    """Whether a retry would do anything."""
    return (
        not job.is_active
        and job.discarded_at is None
        and (job.n_failed > 0 or job.state in (JobState.CANCELLED, JobState.FAILED))
    )


def with_counts(job: JobView, histogram: Histogram) -> JobView:
    """The job with the counts of some of its results, whose histogram this is, instead of all."""
    n_by_label: Counter[str] = Counter()
    n_probably_neither, threshold_milli = 0, round(1000 * job.threshold)
    for one in histogram.bins:
        is_sure = one.thousandth >= threshold_milli
        n_by_label[CLASSES[one.class_index] if is_sure else UNSURE] += one.n
        n_probably_neither += 0 if is_sure else one.n_neither
    return replace(
        job,
        n_done=n_by_label.total(),
        n_failed=histogram.n_failed,
        by_label={name: n_by_label[name] for name in (*CLASSES, UNSURE)},
        n_probably_neither=n_probably_neither,
    )


def count_tiles(job: JobView) -> list[CountTile]:
    """The numbers of all pictures, of those of each label, and of the unsure ones that are probably neither."""
    everything = CountTile("sorted", n_sorted(job), "All", None, {"label": None, "neither": None})
    by_label = [
        CountTile(name, n, words.label(name), name, {"label": name, "neither": None})
        for name, n in job.by_label.items()
    ]
    neither = CountTile(
        "probably_neither",
        job.n_probably_neither,
        "Probably neither",
        "neither",
        {"label": None, "neither": PROBABLE},
        is_optional=True,
    )
    return [everything, *by_label, neither]


def label_shares(job: JobView) -> list[Section]:
    """The share of each label in all results."""
    total = n_sorted(job)
    sections: list[Section] = []
    x = 0.0
    for name, n in {**job.by_label, FAILED: job.n_failed}.items():
        width = 100 * n / total if total else 0.0
        sections.append(Section(name, f"{x:.3f}", f"{width:.3f}"))
        x += width
    return sections
