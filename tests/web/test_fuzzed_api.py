"""schemathesis over the whole API, as each role and as nobody: no server error, nothing that the table of
rights forbids, and no status, media type, header or body that is not described.

Half of the calls are about what Ada made, the others about ids that schemathesis makes up.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partialmethod
from typing import Any
from urllib.parse import unquote

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from schemathesis import Case
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from werkzeug.exceptions import NotFound
from werkzeug.test import Client

from core.accounts.rights import Actor
from core.base.config import Settings
from core.base.database import Database
from tests.support.actors import as_person, make_token
from tests.web.test_rights import ARGUMENT, ROLES, World, world
from web.app import App
from web.http.rights import Route, list_routes

__all__ = ["world"]
DATABASES = ("sqlite", "postgresql")
MOST = "alma"  # an admin
N_CALLS = 12  # of each operation
CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
MAY_BE_AWAY = "/readyz"  # there is no worker
pytestmark = pytest.mark.slow


@schemathesis.serializer("application/x-tar", "application/gzip", "application/zip", "application/jsonl")
def as_it_is(_: object, value: Any) -> bytes:
    """The body of a call that takes a file."""
    data: bytes = (
        value.data if hasattr(value, "data") else str(value).encode() if not isinstance(value, bytes) else value
    )
    return data


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """No limit on requests: this is about their content."""
    return settings.model_copy(update={"requests_per_minute": 0, "stranger_requests_per_minute": 0})


@pytest.fixture(autouse=True)
def _whole_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read and close every answer, as servers do: what a request holds is given back then."""
    monkeypatch.setattr(Client, "open", partialmethod(Client.open, buffered=True))


@dataclass
class Caller:
    """Who calls, and what was answered although the table does not expect it, or the description does not say so."""

    app: App
    actor: Actor | None
    headers: dict[str, str]
    world: World
    n_calls: int = 0
    wrong: list[tuple[str, str, int]] = field(default_factory=list)
    undescribed: dict[tuple[str, str, int], str] = field(default_factory=dict)

    def try_out(self, operation: Any, route: Route) -> None:
        @seed(1)
        @hypothesis_settings(
            max_examples=N_CALLS,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(), is_about_ada=st.booleans())
        def call(case: Case, is_about_ada: bool) -> None:
            if is_about_ada:
                known = case.path_parameters.keys() & self.world.values.keys()
                case.path_parameters.update({name: str(self.world.values[name]) for name in known})
            answer = case.call(headers=self.headers)
            self.n_calls += 1
            if not self._expects(route, case, answer.status_code):
                self.wrong.append((route.method, case.formatted_path, answer.status_code))
            if self._has_route(case):
                try:
                    case.validate_response(answer, checks=CHECKS)
                except (FailureGroup, Failure) as failure:
                    self.undescribed[route.method, route.path, answer.status_code] = str(failure)[:600]

        call()

    def _expects(self, route: Route, case: Case, status: int) -> bool:
        right = route.need.right
        if right is not None and (self.actor is None or not self.actor.may(right)):
            return status == (401 if self.actor is None else 403) or (status == 404 and not self._has_route(case))
        return status < 500 or route.path == MAY_BE_AWAY

    def _has_route(self, case: Case) -> bool:
        """Whether an address leads anywhere: a number in it may be none."""
        try:
            self.app.url_map.bind("localhost").match(unquote(case.formatted_path), case.method.upper())
        except NotFound:
            return False
        return True


def operations(app: App) -> Iterator[Any]:
    for result in schemathesis.openapi.from_wsgi("/openapi.json", app).get_all_operations():
        yield result.ok()


@pytest.mark.parametrize("name", ["", *ROLES])
def test_no_call_is_a_server_error_or_does_what_the_role_forbids(
    app: App, db: Database, world: World, name: str
) -> None:
    if db.engine.dialect.name == "postgresql" and name != MOST:
        pytest.skip("whom nothing is refused reaches the database most")
    headers = {"Accept-Encoding": "identity"} | ({"Authorization": f"Bearer {make_token(db, name)}"} if name else {})
    caller = Caller(app, as_person(db, name) if name else None, headers, world)
    routes = {(ARGUMENT.sub(r"{\1}", route.path), route.method): route for route in list_routes(app)}
    for operation in operations(app):
        caller.try_out(operation, routes[operation.path, operation.method.upper()])
    assert caller.wrong == []
    assert caller.undescribed == {}
    assert caller.n_calls > 500
