"""Errors as problem details (RFC 9457); a browser that asked for a page gets the same sentence as a page.

PawsortError of core        its own sentence, the status of its class
a server is away            503 without its sentence, which is for the operator and in the log
validation of a request     422, for each field: where, what was expected, what came
HTTPException of Werkzeug   its status, its description
a value too large for SQL   422, without the value
the database is away        503, with Retry-After; 507 where its disk is full
anything else               500 with an id; the trace is in the log only, under the same id
"""

import math
import secrets
from http import HTTPStatus
from typing import Any

import structlog
from apiflask import APIFlask
from apiflask.exceptions import HTTPError
from flask import Response, json, render_template, request
from jinja2 import TemplateNotFound
from markupsafe import escape
from pydantic import ValidationError
from sqlalchemy.exc import DataError, InternalError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException

from core.base.database import is_full, is_read_only
from core.base.errors import (
    BadWeights,
    BlobMissing,
    Busy,
    Conflict,
    DiskFull,
    Forbidden,
    Gone,
    ImageError,
    Invalid,
    NotFound,
    OutdatedCursor,
    PawsortError,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from web.http.problem_types import INVALID_REQUEST, PROBLEM_TYPES, ProblemType, type_of_error, type_of_status

log = structlog.get_logger("web")

RETRY_S = 2
READ_ONLY_RETRY_S = 30
MEDIA_TYPE = "application/problem+json"
PROBLEM = "Problem"  # its name in the description of the API
STATUS_OF: dict[type[PawsortError], int] = {
    Forbidden: 403,
    Unauthenticated: 401,
    NotFound: 404,
    BlobMissing: 404,
    Gone: 410,
    Conflict: 409,
    BadWeights: 409,
    Invalid: 422,
    TooLarge: 413,
    TooMany: 429,
    DiskFull: 507,
    Unavailable: 503,
}


def problem(
    status: int,
    detail: str,
    headers: dict[str, str] | None = None,
    kind: ProblemType | None = None,
    **members: Any,
) -> Response:
    """Answer with an error: a page if a browser asked for one, otherwise problem details.

    Args:
        status: HTTP status code.
        detail: Sentences for people: what was expected, what came, what to do.
        headers: Additional headers.
        kind: The type of the problem; by default the most general one of the status.
        members: Additional members of the problem details, for programs.
    """
    if _wants_page():
        response = Response(_page(status, HTTPStatus(status).phrase, detail), status, mimetype="text/html")
    else:
        body = {**_describe_type(status, kind), "status": status, "detail": detail, **members}
        response = Response(json.dumps(body), status, mimetype=MEDIA_TYPE)
    response.headers["Cache-Control"] = "no-store"
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = str(RETRY_S)
    response.headers.update(headers or {})
    return response


def _describe_type(status: int, kind: ProblemType | None) -> dict[str, str]:
    known = kind or type_of_status(status)
    if known is None:
        return {"type": "about:blank", "title": HTTPStatus(status).phrase}
    return {"type": known.address, "title": known.title, "code": known.name}


def problem_schema() -> dict[str, Any]:
    """Problem details as a JSON schema."""
    text = {"type": "string"}
    field = {"type": "object", "properties": dict.fromkeys(("in", "field", "expected", "got"), text)}
    return {
        "type": "object",
        "description": "Problem details (RFC 9457)",
        "properties": {
            "type": text | {"format": "uri-reference", "description": "The address of a page about it"},
            "title": text,
            "code": text | {"enum": [kind.name for kind in PROBLEM_TYPES], "description": "The last part of `type`"},
            "status": {"type": "integer"},
            "detail": text | {"description": "What was expected, what came, what to do"},
            "errors": {"type": "array", "items": field, "description": "One for each wrong value of a request"},
            "error_id": text | {"description": "Under which the log of the server has the details"},
        },
        "required": ["type", "title", "status", "detail"],
    }


def example_problem(status: int) -> dict[str, Any]:
    """Problem details as they come with a status."""
    kind = type_of_status(status)
    return {**_describe_type(status, kind), "status": status, "detail": kind.meaning if kind else ""}


def register_problems(app: APIFlask) -> None:
    """Answer every error that a view raises with `problem`."""
    app.register_error_handler(PawsortError, on_pawsort_error)
    app.register_error_handler(ImageError, on_image_error)
    app.register_error_handler(DataError, on_refused_value)
    app.register_error_handler(OperationalError, on_database_error)
    app.register_error_handler(InternalError, on_internal_error)
    app.register_error_handler(PoolTimeout, on_database_error)
    app.register_error_handler(HTTPError, on_invalid_request)
    app.register_error_handler(HTTPException, on_http_exception)
    app.register_error_handler(Exception, on_unexpected)


def status_of(error: PawsortError) -> int:
    """The status of an expected error, from its nearest class in `STATUS_OF`."""
    return next((STATUS_OF[kind] for kind in type(error).__mro__ if kind in STATUS_OF), 500)


def on_pawsort_error(error: PawsortError) -> Response:
    status = status_of(error)
    if status == 500:
        return on_unexpected(error)
    if isinstance(error, Unavailable) and not isinstance(error, Busy):
        return _on_server_away(error)
    kind = type_of_error(error)
    if isinstance(error, TooMany):
        return problem(status, error.message, {"Retry-After": str(math.ceil(error.retry_after_s))}, kind)
    if isinstance(error, OutdatedCursor) and _wants_page():
        return problem(status, "This link is out of date. Open the first page.")
    details = {key: _plain(value) for key, value in error.details.items()}
    return problem(status, error.message, kind=kind, **details)


def _on_server_away(error: Unavailable) -> Response:
    """A server that this one needs does not respond, or refuses: its operator finds the setting in the log."""
    error_id = _log(error)
    return problem(
        503,
        "A part of this server is not responding. Try again in a minute. If that doesn’t help, tell the person who runs"
        f" it; the details are in the log under the id {error_id}.",
        error_id=error_id,
    )


def on_image_error(error: ImageError) -> Response:
    return problem(422, str(error), kind=type_of_error(error), error_code=str(error.code))


def on_invalid_request(error: HTTPError) -> Response:
    """A body, query or form that does not match its schema."""
    if not isinstance(error.__cause__, ValidationError):
        return problem(error.status_code, str(error.message), dict(Headers(error.headers)))
    location = next(iter(error.detail), "json")
    fields = [_field(location, item) for item in error.__cause__.errors(include_url=False)]
    sentences = [f"{one['field']}: {one['expected']}; got {one['got']}." for one in fields]
    return problem(422, " ".join(sentences), kind=INVALID_REQUEST, errors=fields)


def on_http_exception(error: HTTPException) -> Response:
    headers = {name: value for name, value in error.get_headers() if name not in ("Content-Type", "Content-Length")}
    return problem(error.code or 500, _sentence(error), headers)


def on_refused_value(error: SQLAlchemyError) -> Response:
    """A value that this database cannot hold: sending it again would not help."""
    return _logged_problem(
        422, "The database cannot hold one of these values: a text or number is too large for it. Shorten it.", error
    )


def on_database_error(error: OperationalError | PoolTimeout) -> Response:
    """The database is unreachable or overloaded for the moment; the caller may retry."""
    if _is_limit_exceeded(error):
        return on_refused_value(error)
    if isinstance(error, OperationalError) and is_full(error):
        return _on_full_disk(error)
    return _logged_problem(503, f"The database is not responding. Try again in {RETRY_S} seconds.", error)


def on_internal_error(error: InternalError) -> Response:
    """An error of the database server itself; one that only accepts reads for a while is worth a retry."""
    if not is_read_only(error):
        return on_unexpected(error)
    return _logged_problem(
        503,
        "The database accepts no changes at the moment, as during a failover. Try again in a minute.",
        error,
        {"Retry-After": str(READ_ONLY_RETRY_S)},
    )


def _on_full_disk(error: SQLAlchemyError) -> Response:
    return _logged_problem(
        507,
        "The disk of the database is full, so nothing can be changed. Ask the person who runs this server to free disk"
        " space.",
        error,
    )


def _is_limit_exceeded(error: Exception) -> bool:
    """Whether PostgreSQL refused a value for its size (class 54), which its driver calls an operational error."""
    code = getattr(getattr(error, "orig", None), "sqlstate", None) or ""
    return code.startswith("54")


def on_unexpected(error: Exception) -> Response:
    return _logged_problem(500, "Something went wrong on the server.", error)


def _logged_problem(status: int, sentence: str, error: Exception, headers: dict[str, str] | None = None) -> Response:
    """A problem whose details are for the operator."""
    error_id = _log(error)
    detail = f"{sentence} The details are in the log under the id {error_id}."
    return problem(status, detail, headers, error_id=error_id)


def _log(error: Exception) -> str:
    error_id = secrets.token_hex(8)
    log.error("request failed", error_id=error_id, method=request.method, path=request.path, exc_info=error)
    return error_id


def _sentence(error: HTTPException) -> str:
    match error.code:
        case 404 if error.description == type(error).description:
            return f"There is nothing at {request.path}. See /docs for all calls."
        case 405:
            methods = ", ".join(sorted(getattr(error, "valid_methods", None) or ()))
            return f"{request.path} does not accept {request.method}; expected {methods}."
        case 413 if error.description == type(error).description:
            return f"Expected a body of at most {request.max_content_length} bytes for this call. Send less at a time."
    return error.description or error.name


def _field(location: str, item: Any) -> dict[str, str]:
    name = ".".join(str(part) for part in item["loc"]) or "the body"
    got = "nothing" if item["type"] == "missing" else repr(item["input"])
    return {
        "in": "query" if location == "querystring" else location,
        "field": name,
        "expected": item["msg"],
        "got": got if len(got) <= 100 else got[:97] + "...",
    }


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | list | dict | None) else str(value)


def _wants_page() -> bool:
    if request.path.startswith("/api/"):
        return False
    return request.accept_mimetypes.best_match(["application/json", MEDIA_TYPE, "text/html"]) == "text/html"


def _page(status: int, title: str, detail: str) -> str:
    try:
        return render_template("shared/error.html", status=status, title=title, detail=detail)
    except TemplateNotFound:
        return f"<!doctype html><html lang=en><title>{escape(title)}</title><p>{escape(detail)}</p></html>"
