"""CSRF tokens: an unsafe request of a browser carries the token of its session, in a header or a form field.

Bearer requests need none, because no browser adds a bearer token by itself.
"""

from flask import Response, g, request
from flask_wtf.csrf import ValidationError, validate_csrf

from web.http.problem_types import CSRF
from web.http.problems import problem

SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


def is_unsafe() -> bool:
    """Whether this request may change something."""
    return request.method not in SAFE_METHODS


def check_csrf() -> Response | None:
    """Refuse an unsafe request of a browser without the session's CSRF token."""
    sent = request.headers.get("X-CSRF-Token", "")
    if not sent and request.mimetype in FORM_TYPES:
        sent = request.form.get("csrf_token", "")
    return refuse_csrf(sent)


def refuse_csrf(sent: str) -> Response | None:
    """Refuse this request if it needs a CSRF token and `sent` is not the one of the session."""
    if not g.get("needs_csrf", True):
        return None
    try:
        validate_csrf(sent)
    except ValidationError:
        return problem(
            403,
            "This page belongs to another login or is out of date, or your browser keeps no cookies: the CSRF token in"
            " the header X-CSRF-Token or the form field csrf_token is not that of this session. Reload the page and try"
            " again.",
            kind=CSRF,
        )
    return None
