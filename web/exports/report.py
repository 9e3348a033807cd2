"""A report as a single HTML file with its pictures inside: it can be read, shared and kept without a server."""

import base64
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from flask import render_template

from core.base.errors import BlobMissing, ImageError
from core.jobs.progress import JobView
from core.jobs.results import ResultRow
from web.exports.label_preference import LABEL_BY, By
from web.http.thumbnails import PictureFile, Thumbnails

MOST_PICTURES = 1000
MOST_ERRORS = 1000
SIDE_PX = 128


def report_blocks(
    job: JobView,
    by: By,
    counts: dict[str, int],
    pictures: Iterable[tuple[ResultRow, PictureFile | None]],
    errors: Iterable[ResultRow],
    thumbnails: Thumbnails,
) -> Iterator[bytes]:
    """The report in blocks, the pictures with the lowest confidence first.

    Args:
        by: Whose label is shown.
        counts: How many pictures have each of these labels.
        pictures: At most `MOST_PICTURES`, with their files.
        errors: The failed files, at most `MOST_ERRORS`.
        thumbnails: Makes the pictures small.
    Raises:
        Unavailable: Before the first block: too many reports are being written.
    """
    with thumbnails.for_report() as make:
        made_at = datetime.now(UTC)
        head = render_template(
            "exports/report_head.html", job=job, by=by, counts=counts, made_at=made_at, most=MOST_PICTURES
        )
        yield head.encode()
        for row, file in pictures:
            label, picture = LABEL_BY[by](row), _inline(file, make)
            text = render_template("exports/report_picture.html", row=row, by=by, label=label, picture=picture)
            yield text.encode("utf-8", "backslashreplace")
        text = render_template("exports/report_foot.html", errors=list(errors), most=MOST_ERRORS)
        yield text.encode("utf-8", "backslashreplace")


def _inline(file: PictureFile | None, make: Callable[[PictureFile, int], bytes]) -> str | None:
    """A thumbnail as a data URL; None if the picture is no longer there, or cannot be decoded."""
    if file is None:
        return None
    try:
        jpeg = make(file, SIDE_PX)
    except (ImageError, BlobMissing):
        return None
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
