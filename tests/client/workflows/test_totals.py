"""The counts of all jobs, and the time from the first work to the last end."""

from pawsort.api.decoding import decode
from pawsort.schemas import Job
from pawsort.workflows.totals import Totals


def test_the_time_goes_from_the_first_work_to_the_last_end() -> None:
    counts = {"n_images": 30, "done": 29, "failed": 1, "by_label": {"cat": 29}}
    job = {"counts": counts, "started_at": "2026-11-30T10:00:00+00:00", "finished_at": "2026-11-30T10:00:10+00:00"}
    later = job | {"started_at": "2026-11-30T10:00:10+00:00", "finished_at": "2026-11-30T10:00:20+00:00"}
    totals = Totals.of([decode(Job, job), decode(Job, later)])
    assert (totals.n_images, totals.n_failed, totals.by_label) == (60, 2, {"cat": 58})
    assert (totals.seconds, totals.images_per_s) == (20.0, 3.0)
    unfinished = Totals.of([decode(Job, job | {"finished_at": None})])
    assert unfinished.images_per_s is None
