"""OpenAPI 3.1 from the views: APIFlask's description, completed by what only the routes and limits know."""

import re
from typing import Any

from apiflask import APIFlask
from flask import current_app

from web.http.openapi.examples import add_examples
from web.http.openapi.responses import complete_responses, describe_need, describe_refusals
from web.http.openapi.schemas import JSON, hoist_schemas, name_of
from web.http.problems import PROBLEM, problem_schema
from web.http.rights import Route, list_routes

ARGUMENT = re.compile(r"<(?:([a-z]+)[^<>:]*:)?(\w+)>")
ARGUMENTS = {"uuid": {"type": "string", "format": "uuid"}, "int": {"type": "integer"}}
SECURITY_SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "Made on the page Account, or by `pawsort token create`.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "pawsort_8000",
        "description": "The cookie of the pages; its name ends with the port, and begins with `__Host-` over HTTPS."
        " Unsafe requests also send X-CSRF-Token.",
    },
}
DESCRIPTION = (
    "Upload a folder of pictures and receive labels. Errors are problem details (RFC 9457). Lists are paged: send"
    " `next` of one page as `cursor` to get the following page; `next` is null at the end."
)


def configure_document(app: APIFlask) -> None:
    """Configure APIFlask's description, and complete it whenever it is made."""
    app.config.update(
        INFO={"description": DESCRIPTION},
        SERVERS=[{"url": "/"}],
        SECURITY_SCHEMES=SECURITY_SCHEMES,
        AUTO_404_RESPONSE=False,
        AUTO_VALIDATION_ERROR_RESPONSE=False,
    )
    app.spec_processor(complete_spec)


def make_document() -> dict[str, Any]:
    """The description of the current app; takes a moment."""
    assert isinstance(current_app, APIFlask)
    document = current_app.spec
    assert isinstance(document, dict)
    return document


def complete_spec(spec: Any) -> Any:
    """Name each type and call once, declare errors, login and rights, and add examples."""
    hoist_schemas(spec)
    components = spec["components"]
    components["schemas"].pop("HTTPError", None)  # APIFlask's
    components["schemas"][PROBLEM] = problem_schema()
    components["responses"] = describe_refusals()
    spec["tags"] = _list_tags(spec["tags"])
    routes = {(ARGUMENT.sub(r"{\2}", route.path), route.method): route for route in list_routes(current_app)}
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            _complete_operation(operation, routes[path, method.upper()])
            _require_body(operation, components["schemas"])
    add_examples(spec)
    return spec


def _complete_operation(operation: dict[str, Any], route: Route) -> None:
    operation["operationId"] = name_operation(route.endpoint)
    operation["security"] = [] if route.need.right is None else [{name: []} for name in SECURITY_SCHEMES]
    operation["description"] = f"{operation.get('description', '')}\n\n{describe_need(route.need)}.".strip()
    kinds = {name: kind for kind, name in ARGUMENT.findall(route.path)}
    for parameter in operation["parameters"]:
        if parameter["in"] == "path":
            parameter["schema"] = ARGUMENTS[kinds[parameter["name"]]]
    complete_responses(operation, route)


def _require_body(operation: dict[str, Any], types: dict[str, Any]) -> None:
    """A body may be left out if all its fields may."""
    if JSON in (content := operation.get("requestBody", {}).get("content", {})):
        schema = types[name_of(content[JSON]["schema"]["$ref"])]
        operation["requestBody"]["required"] = "required" in schema


def name_operation(endpoint: str) -> str:
    """The id of a call: the name of its view, as generators of clients expect it."""
    first, *others = endpoint.rpartition(".")[2].split("_")
    return first + "".join(word.capitalize() for word in others)


def _list_tags(tags: list[dict[str, str]]) -> list[dict[str, str]]:
    """Each tag once: several blueprints may have it, and the first of them describes it."""
    listed: dict[str, dict[str, str]] = {}
    for tag in tags:
        listed.setdefault(tag["name"], tag)
    return list(listed.values())
