"""Redirects after a form, and the addresses they may lead to."""

from flask import Response, redirect, request


def see_other(address: str) -> Response:
    """Redirect to another page, which the browser requests by GET."""
    response = redirect(address, 303)
    assert isinstance(response, Response)
    return response


def own_path(name: str, default: str) -> str:
    """The path on this server that the request names in its address or form, or `default` without one.

    It is never the address of another site: "//host" is one, and so is anything that browsers and Werkzeug read as
    "//host", with tabs and line ends between the slashes.
    """
    target = request.values.get(name, default)
    is_path = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if is_path else default
