"""Answers with an ETag: a client that sends it back as If-None-Match receives 304 until something changes."""

from collections.abc import Callable

from flask import Response, request

from core.orm.jobs import Job


def job_etag(job: Job) -> str:
    """An ETag that changes exactly when something visible of a job changes."""
    return f"{job.revision}-{job.state}"


def answer_if_changed(etag: str, make_response: Callable[[], Response]) -> Response:
    """Make the response and add its ETag; 304, and nothing is made, if the client already has it."""
    is_known = request.if_none_match.contains_weak(etag)
    response = Response(status=304) if is_known else make_response()
    response.set_etag(etag)
    return response
