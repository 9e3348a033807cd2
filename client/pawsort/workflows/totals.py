"""What all jobs of one call have together: counts, and how long they took."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from pawsort.schemas import Job


@dataclass(frozen=True, slots=True)
class Totals:
    """The counts of all jobs. `seconds` go from the first picture's work to the end of the last job."""

    n_images: int
    n_failed: int
    n_probably_neither: int
    by_label: dict[str, int]
    seconds: float | None

    @classmethod
    def of(cls, jobs: Collection[Job]) -> "Totals":
        """Add them up."""
        counts = [job.counts for job in jobs]
        by_label = sum((Counter(one.by_label) for one in counts), Counter[str]())
        return cls(
            n_images=sum(one.done + one.failed for one in counts),
            n_failed=sum(one.failed for one in counts),
            n_probably_neither=sum(one.probably_neither or 0 for one in counts),
            by_label={label: by_label[label] for one in counts for label in one.by_label},
            seconds=_seconds(jobs),
        )

    @property
    def images_per_s(self) -> float | None:
        """The rate, if there was time to measure one."""
        return self.n_images / self.seconds if self.seconds else None


def _seconds(jobs: Collection[Job]) -> float | None:
    started = [job.started_at for job in jobs if job.started_at]
    finished = [job.finished_at for job in jobs if job.finished_at]
    return (max(finished) - min(started)).total_seconds() if started and finished else None
