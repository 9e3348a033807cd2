"""The description of the API: OpenAPI 3.1 at /openapi.json, and a page for people, without scripts, at /docs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from apiflask import APIFlask
from flask import Blueprint, Response, current_app, json, render_template
from markupsafe import Markup, escape

from web.http.context import get_services
from web.http.delivery.answer_cache import FOR_EVER_S
from web.http.problems import MEDIA_TYPE
from web.http.rights import Need, list_routes, public

api_docs = Blueprint("api_docs", __name__)

ARGUMENT = re.compile(r"<(?:[^<>:]+:)?(\w+)>")
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


@dataclass(frozen=True)
class Operation:
    """One method of one path, for the page."""

    method: str
    path: str
    summary: str
    description: str
    parameters: list[dict[str, Any]]
    body: str
    responses: dict[str, str]


def configure_openapi(app: APIFlask) -> None:
    """Configure APIFlask's description, and complete what it cannot know."""
    app.config.update(
        INFO={"description": DESCRIPTION},
        SERVERS=[{"url": "/"}],
        SECURITY_SCHEMES=SECURITY_SCHEMES,
        AUTO_OPERATION_ID=True,
        HTTP_ERROR_SCHEMA=_problem_schema(),
        VALIDATION_ERROR_SCHEMA=_problem_schema(errors=True),
    )
    app.spec_processor(complete_spec)
    app.register_blueprint(api_docs)


def file_answer(description: str, media_type: str) -> Any:
    """A response that is a file, for `@api.doc(responses={200: ...})`."""
    return {"description": description, "content": {media_type: {}}}


def complete_spec(spec: Any) -> Any:
    """Declare errors as problem details, login and rights for calls below /api, and the media types of raw bodies."""
    needed = {(ARGUMENT.sub(r"{\1}", one.path), one.method): one.need for one in list_routes(current_app)}
    spec["tags"] = list({tag["name"]: tag for tag in spec["tags"]}.values())
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            for parameter in operation["parameters"]:
                if parameter["in"] == "path" and parameter["name"].endswith("uuid"):
                    parameter["schema"]["format"] = "uuid"
            for status, response in operation["responses"].items():
                if status >= "400" and "application/json" in response.get("content", {}):
                    response["content"] = {MEDIA_TYPE: response["content"]["application/json"]}
            if path.startswith("/api/"):
                operation["security"] = [{name: []} for name in SECURITY_SCHEMES]
                operation["responses"]["403"] = _refusal(needed[path, method.upper()])
            if "x-body" in operation:
                types = operation.pop("x-body").split()
                schema = {"type": "string", "format": "binary"}
                operation["requestBody"] = {"required": True, "content": {one: {"schema": schema} for one in types}}
    return spec


def _refusal(need: Need) -> dict[str, Any]:
    """The answer to people who may not use a call."""
    whose = ", and `others` for what somebody else made" if need.own else ""
    sentence = f"The right `{need.right}` is needed{whose}"
    return {"description": sentence, "content": {MEDIA_TYPE: {"schema": _problem_schema()}}}


@api_docs.get("/openapi.json")
@public
def show_spec() -> Response:
    """The description for programs."""
    text = get_services().answers.get("openapi", lambda: json.dumps(_spec()), FOR_EVER_S)
    return Response(text, mimetype="application/json")


@api_docs.get("/docs")
@public
def show_docs() -> str:
    """The description for people."""
    calls = get_services().answers.get("docs", _describe_calls, FOR_EVER_S)
    return render_template("system/api_docs.html", description=DESCRIPTION, calls=calls, mark_code=mark_code)


def _describe_calls() -> Markup:
    """All calls and types, the same for everybody."""
    spec = _spec()
    tags = [tag["name"] for tag in spec.get("tags", [])]
    groups = {tag: [one for name, one in _operations(spec) if name == tag] for tag in tags}
    made = render_template("system/_api_calls.html", groups=groups, schemas=_fields(spec), mark_code=mark_code)
    return Markup(made)  # noqa: S704 - a template of our own, which escapes what it shows


def _spec() -> dict[str, Any]:
    app = current_app
    assert isinstance(app, APIFlask)
    spec = app._get_spec("json")
    assert isinstance(spec, dict)
    return spec


def _operations(spec: dict[str, Any]) -> Iterator[tuple[str, Operation]]:
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            contents = operation.get("requestBody", {}).get("content", {})
            shown = Operation(
                method=method.upper(),
                path=path,
                summary=operation["summary"],
                description=operation.get("description", ""),
                parameters=[_parameter(one) for one in operation["parameters"]],
                body=", ".join(_body(kind, value["schema"]) for kind, value in contents.items()),
                responses={status: one.get("description", "") for status, one in operation["responses"].items()},
            )
            yield operation["tags"][0], shown


def mark_code(text: str) -> Markup:
    """Show the parts of a sentence between backticks as code."""
    parts = (
        Markup("<code>{}</code>").format(part) if n % 2 else escape(part) for n, part in enumerate(text.split("`"))
    )
    return Markup("").join(parts)


def _parameter(parameter: dict[str, Any]) -> dict[str, Any]:
    schema = parameter["schema"]
    return {
        "name": parameter["name"],
        "in": parameter["in"],
        "type": describe_type(schema),
        "default": "" if schema.get("default") is None else str(schema["default"]).lower(),
        "description": schema.get("description", ""),
    }


def _body(kind: str, schema: dict[str, Any]) -> str:
    return _name(schema["$ref"]) if "$ref" in schema else kind


def _fields(spec: dict[str, Any]) -> dict[str, dict[str, tuple[str, str]]]:
    """Every type with its fields, and for each field its type and description."""
    return {
        name: {
            field: (describe_type(schema), schema.get("description", ""))
            for field, schema in whole.get("properties", {}).items()
        }
        for name, whole in sorted(spec["components"]["schemas"].items())
        if whole.get("properties")
    }


def describe_type(schema: dict[str, Any]) -> str:
    """A JSON schema in a few words, such as `text or null`, `list of LabelIn` or `128, 256 or 512`."""
    if "anyOf" in schema:
        return " or ".join(describe_type(one) for one in schema["anyOf"])
    if "$ref" in schema:
        return _name(schema["$ref"])
    if "enum" in schema:
        return ", ".join(str(one) for one in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    if "prefixItems" in schema:
        return f"list of {', '.join(describe_type(one) for one in schema['prefixItems'])}"
    if schema.get("type") == "array":
        return f"list of {describe_type(schema['items'])}"
    words = {"string": schema.get("format", "text"), "object": "object"}
    kind = str(schema.get("type", "anything"))
    return str(words.get(kind, kind))


def _name(reference: str) -> str:
    return reference.rsplit("/", 1)[-1].rsplit(".", 1)[-1]


def _problem_schema(errors: bool = False) -> dict[str, Any]:
    text = {"type": "string"}
    properties: dict[str, Any] = {"type": text, "title": text, "status": {"type": "integer"}, "detail": text}
    if errors:
        one = {"type": "object", "properties": {"in": text, "field": text, "expected": text, "got": text}}
        properties["errors"] = {"type": "array", "items": one}
    return {"type": "object", "properties": properties, "required": ["type", "title", "status", "detail"]}
