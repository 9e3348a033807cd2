"""Responses with an ETag: a client that sends it back in If-None-Match gets 304 until something changes.

The ETags are weak: the same content can go out compressed and uncompressed.
"""

from collections.abc import Callable

from flask import Response, request

from core.orm.jobs import Job


def job_etag(job: Job) -> str:
    """An ETag that changes exactly when something visible of a job changes."""
    return f"{job.revision}-{job.state}"


def answer_if_changed(etag: str, make_response: Callable[[], Response]) -> Response:
    """Answer 304 if the client already has this ETag; otherwise make the response and add the ETag."""
    is_known = request.if_none_match.contains_weak(etag)
    response = Response(status=304) if is_known else make_response()
    response.set_etag(etag, weak=True)
    return response
