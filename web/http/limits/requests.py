"""Limits of each request: how often a person or address may ask, how much they may send, and how much runs at once.

    a person who is known ─► requests and bytes of the person ─► work at once ─► CSRF token, right ─► view
    everybody else        ─► requests and bytes of the address ─► public view, login page or 401

Requests from this machine are not counted: one person who works here is never refused.
"""

import ipaddress
import weakref

from apiflask import APIFlask
from flask import Response, current_app, g, request

from core.accounts.limits import Bucket, network_of
from core.base.config import Settings
from web.http.context import get_services
from web.http.rights import find_actor

UNCOUNTED = frozenset(("static", "health.check_alive"))


def register_limits(app: APIFlask, settings: Settings) -> None:
    """Add the limits. Call it after `register_auth`: a person has other limits than an address."""
    of_person = Bucket("requests", settings.requests_per_minute)
    of_address = Bucket("requests of strangers", settings.stranger_requests_per_minute)
    bytes_of_person = Bucket("bytes", settings.bytes_per_minute)
    bytes_of_address = Bucket("bytes of strangers", settings.bytes_per_minute)

    def buckets() -> tuple[Bucket, Bucket, str]:
        """Of whoever sent this request: requests, bytes, and the name that they have there."""
        if (actor := find_actor()) is not None:
            return of_person, bytes_of_person, str(actor.user_id)
        return of_address, bytes_of_address, network_of(request.remote_addr or "")

    @app.before_request
    def check_limits() -> None:
        rates, actor = get_services().rates, find_actor()
        is_counted = not is_local()
        if is_counted and request.endpoint not in UNCOUNTED:
            n_requests, n_bytes, who = buckets()
            rates.take(n_requests, who)
            rates.take(n_bytes, who, 0)
        work = getattr(current_app.view_functions.get(request.endpoint or ""), "work", None)
        if work is not None and actor is not None:
            g.end_work = get_services().at_once.begin(work, actor.user_id, is_counted)

    @app.after_request
    def count(response: Response) -> Response:
        if (end := g.pop("end_work", None)) is not None:
            # With the end of the response, also of one that nobody reads to its end.
            response.call_on_close(weakref.finalize(response, end))
        announced = min(request.content_length or 0, current_app.config["MAX_CONTENT_LENGTH"])
        n_body_bytes = g.get("n_body_bytes", announced)
        if n_body_bytes and not is_local():
            _, n_bytes, who = buckets()
            get_services().rates.charge(n_bytes, who, n_body_bytes)
        return response


def is_local() -> bool:
    """Whether this request comes from this machine, and not from another one through a proxy here."""
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False
