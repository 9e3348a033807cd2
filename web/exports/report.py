"""A report as a single HTML file with its pictures inside: it can be read, shared and kept without a server."""

import base64
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime

from flask import render_template

from core.base.errors import ImageError
from core.decoding.images import make_thumbnail
from core.jobs.progress import JobView
from core.jobs.results import ResultRow
from web.exports.label_preference import LABEL_BY, By

MOST_PICTURES = 1000
MOST_ERRORS = 1000
SIDE_PX = 128


def report_blocks(
    job: JobView,
    by: By,
    counts: dict[str, int],
    pictures: Iterable[tuple[ResultRow, bytes | None]],
    errors: Iterable[ResultRow],
    decoding: AbstractContextManager[object],
    max_pixels: int,
) -> Iterator[bytes]:
    """The report in blocks, the pictures with the lowest confidence first.

    Args:
        by: Whose label is shown.
        counts: How many pictures have each of these labels.
        pictures: At most `MOST_PICTURES`, with the bytes of their files.
        errors: The failed files, at most `MOST_ERRORS`.
        decoding: Held while a picture is decoded; bounds how many are decoded at the same time.
        max_pixels: The largest picture that is decoded.
    """
    made_at = datetime.now(UTC)
    head = render_template(
        "exports/report_head.html", job=job, by=by, counts=counts, made_at=made_at, most=MOST_PICTURES
    )
    yield head.encode()
    for row, data in pictures:
        picture = _inline(data, decoding, max_pixels)
        text = render_template("exports/report_picture.html", row=row, by=by, label=LABEL_BY[by](row), picture=picture)
        yield text.encode("utf-8", "backslashreplace")
    text = render_template("exports/report_foot.html", errors=list(errors), most=MOST_ERRORS)
    yield text.encode("utf-8", "backslashreplace")


def _inline(data: bytes | None, decoding: AbstractContextManager[object], max_pixels: int) -> str | None:
    """A thumbnail as a data URL; None if the picture is no longer there, or cannot be decoded."""
    if data is None:
        return None
    try:
        with decoding:
            jpeg = make_thumbnail(data, SIDE_PX, max_pixels=max_pixels)
    except ImageError:
        return None
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
