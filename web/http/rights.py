"""Which right each view needs: every view carries `@needs(...)` or `@public`, or the server does not start."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask, Response, current_app, g, request
from werkzeug.exceptions import Unauthorized

from core.accounts.audit_log import record_refused_access
from core.accounts.rights import Actor, Right, check_right
from core.base.errors import Forbidden
from web.http.context import get_services
from web.http.problems import on_pawsort_error

View = TypeVar("View", bound=Callable[..., Any])
NEED = "need"


@dataclass(frozen=True)
class Need:
    """What a view needs; `right` is None for a public one.

    Attributes:
        own: It changes one job, upload or batch of labels: only its owner may, and admins. The service checks it.
    """

    right: Right | None
    own: bool = False


def needs(right: Right, *, own: bool = False) -> Callable[[View], View]:
    """Mark a view that only people with this right may use; `own` as in `Need`."""
    return _marker(Need(right, own))


def public(view: View) -> View:
    """Mark a view that needs no login."""
    return _marker(Need(None))(view)


def _marker(need: Need) -> Callable[[View], View]:
    def mark(view: View) -> View:
        setattr(view, NEED, need)
        return view

    return mark


def find_need(view: Callable[..., Any]) -> Need | None:
    """What a view needs; None where nobody has said so."""
    need: Need | None = getattr(view, NEED, None)
    return need


def find_current_need() -> Need | None:
    """What the view of this request needs; None if no view answers it, or if the view does not say."""
    view = current_app.view_functions.get(request.endpoint or "")
    return find_need(view) if view is not None else None


def register_rights(app: Flask) -> None:
    """Refuse requests without the right that the view needs. Call it after `register_limits`: they count there, too.

    These refusals, and those of services, are recorded.
    """

    @app.before_request
    def check_rights() -> None:
        need = find_current_need()
        if need is not None and need.right is not None:
            check_right(current_actor(), need.right)

    @app.errorhandler(Forbidden)
    def record_refusal(error: Forbidden) -> Response:
        if (actor := find_actor()) is not None:
            record_refused_access(get_services().db, actor, method=request.method, path=request.path)
        return on_pawsort_error(error)


def check_views(app: Flask) -> None:
    """See that every view says what it needs.

    Raises:
        RuntimeError: Some do not; the text names them.
    """
    silent = sorted(name for name, view in app.view_functions.items() if find_need(view) is None)
    if silent:
        raise RuntimeError(f"Views without @needs(Right...) or @public: {', '.join(silent)}.")


def find_actor() -> Actor | None:
    """The person who sent this request; None in public views."""
    actor: Actor | None = g.get("actor")
    return actor


def current_actor() -> Actor:
    """The person who sent this request.

    Raises:
        Unauthorized: Nobody is logged in, which happens in public views only.
    """
    actor = find_actor()
    if actor is None:
        raise Unauthorized("You need to log in.")
    return actor


@dataclass(frozen=True)
class Route:
    """One method of one address, and what it needs."""

    path: str
    method: str
    endpoint: str
    need: Need

    def allows(self, actor: Actor | None, owner_id: int | None = None) -> bool:
        """Whether a person may use it; for what one person owns, on that of the person `owner_id`."""
        if self.need.right is None:
            return True
        if actor is None or not actor.may(self.need.right):
            return False
        return not self.need.own or actor.may_change(owner_id)


def list_routes(app: Flask) -> list[Route]:
    """The table of all routes and rights, by address."""
    routes = []
    for rule in app.url_map.iter_rules():
        need = find_need(app.view_functions[rule.endpoint])
        assert need is not None, rule.endpoint  # check_views saw to it
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            routes.append(Route(rule.rule, method, rule.endpoint, need))
    return sorted(routes, key=lambda route: (route.path, route.method))
