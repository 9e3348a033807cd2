"""How objects show themselves in a notebook. Names come from anywhere, so all of them are escaped."""

from html import escape
from typing import Any


def job_as_html(job: Any) -> str:
    """Return a job as a small table."""
    counts = job.counts
    cells = {
        "name": job.name,
        "state": job.state,
        "pictures": f"{counts.done + counts.failed:,} of {counts.n_images:,}",
        **{label: f"{n:,}" for label, n in counts.by_label.items()},
        "failed": f"{counts.failed:,}",
        "job": job.id,
    }
    head = "".join(f"<th>{escape(name)}</th>" for name in cells)
    body = "".join(f"<td>{escape(str(cell))}</td>" for cell in cells.values())
    return f"<table><thead><tr>{head}</tr></thead><tbody><tr>{body}</tr></tbody></table>"
