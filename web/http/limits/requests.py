"""Limits of each request: how often a person or address may ask, how much they may send, and how much runs at once.

    authenticated ─► work at once ─► requests of the person, bytes of the person ─► view
    public view   ─► requests of the address ─► view
    refused login ─► requests of the address ─► 401, or 429

Requests from this machine are not counted: one person who works here is never refused.
"""

import ipaddress
import weakref

from apiflask import APIFlask
from flask import Response, current_app, g, request

from core.accounts.limits import Bucket, network_of
from core.base.config import Settings
from core.base.errors import TooMany
from web.http.context import get_services
from web.http.problems import on_pawsort_error
from web.http.rights import find_actor

UNCOUNTED = frozenset(("static", "health.check_alive"))


def register_limits(app: APIFlask, settings: Settings) -> None:
    """Add the limits. Call it after `register_auth`: a person has other limits than an address."""
    of_person = Bucket("requests", settings.requests_per_minute)
    of_address = Bucket("requests of strangers", settings.stranger_requests_per_minute)
    of_bytes = Bucket("bytes", settings.bytes_per_minute)

    @app.before_request
    def check_limits() -> None:
        rates, actor = get_services().rates, find_actor()
        is_counted = not is_local()
        if is_counted and request.endpoint not in UNCOUNTED:
            if actor is None:
                rates.take(of_address, network_of(request.remote_addr or ""))
            else:
                rates.take(of_person, str(actor.user_id))
                rates.take(of_bytes, str(actor.user_id), 0)
        work = getattr(current_app.view_functions.get(request.endpoint or ""), "work", None)
        if work is not None and actor is not None:
            g.end_work = get_services().at_once.begin(work, actor.user_id, is_counted)

    @app.after_request
    def count(response: Response) -> Response:
        if (end := g.pop("end_work", None)) is not None:
            # With the end of the response, also of one that nobody reads to its end.
            response.call_on_close(weakref.finalize(response, end))
        if is_local():
            return response
        rates = get_services().rates
        if (actor := find_actor()) is not None:
            rates.charge(of_bytes, str(actor.user_id), g.get("n_body_bytes", request.content_length or 0))
        elif response.status_code == 401:
            try:
                rates.take(of_address, network_of(request.remote_addr or ""))
            except TooMany as error:
                return on_pawsort_error(error)
        return response


def is_local() -> bool:
    """Whether this request comes from this machine, and not from another one through a proxy here."""
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False
