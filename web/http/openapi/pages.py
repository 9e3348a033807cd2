"""Where the description is: for programs at /openapi.json, for people at /docs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, json, render_template
from markupsafe import Markup, escape

from web.http.context import get_services
from web.http.delivery.answer_cache import FOR_EVER_S
from web.http.openapi.document import DESCRIPTION, make_document
from web.http.openapi.responses import REFUSALS
from web.http.openapi.schemas import JSON, name_of
from web.http.rights import public

api_docs = Blueprint("api_docs", __name__)


@dataclass(frozen=True)
class Operation:
    """One method of one path, for the page."""

    method: str
    path: str
    summary: str
    description: str
    parameters: list[dict[str, Any]]
    body: str
    example: str
    responses: dict[str, str]


@api_docs.get("/openapi.json")
@public
def show_spec() -> Response:
    """The description for programs."""
    text = get_services().answers.get("openapi", lambda: json.dumps(make_document()), FOR_EVER_S)
    return Response(text, mimetype=JSON)


@api_docs.get("/docs")
@public
def show_docs() -> str:
    """The description for people."""
    calls = get_services().answers.get("docs", _describe_calls, FOR_EVER_S)
    return render_template("system/api_docs.html", description=DESCRIPTION, calls=calls, mark_code=mark_code)


def _describe_calls() -> Markup:
    """All calls and types, the same for everybody."""
    spec = _with_values(make_document())
    tags = [tag["name"] for tag in spec.get("tags", [])]
    groups = {tag: [one for name, one in _operations(spec) if name == tag] for tag in tags}
    made = render_template(
        "system/_api_calls.html", groups=groups, refusals=REFUSALS, schemas=_fields(spec), mark_code=mark_code
    )
    return Markup(made)  # noqa: S704 - a template of our own, which escapes what it shows


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
                example=_example(contents),
                responses={
                    status: one["description"]
                    for status, one in operation["responses"].items()
                    if "$ref" not in one and status != "403"  # described once for all, and by the right above
                },
            )
            yield operation["tags"][0], shown


def _with_values(spec: dict[str, Any]) -> dict[str, Any]:
    """The description with the values themselves where it refers to an enum."""
    types = spec["components"]["schemas"]

    def replace(part: Any) -> Any:
        if isinstance(part, list):
            return [replace(one) for one in part]
        if not isinstance(part, dict):
            return part
        kind = types.get(name_of(part["$ref"]), {}) if "$ref" in part else {}
        return kind | part if "enum" in kind else {key: replace(value) for key, value in part.items()}

    shown: dict[str, Any] = replace(spec)
    return shown


def _example(contents: dict[str, Any]) -> str:
    """The example of a JSON body; empty if there is nothing to fill in."""
    example = contents.get(JSON, {}).get("example")
    return json.dumps(example, ensure_ascii=False) if example else ""


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
    return name_of(schema["$ref"]) if "$ref" in schema else kind


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
    if "enum" in schema:
        return ", ".join(str(one) for one in schema["enum"])
    if "$ref" in schema:
        return name_of(schema["$ref"])
    if "const" in schema:
        return str(schema["const"])
    if schema.get("type") == "array":
        return f"list of {describe_type(schema['items'])}"
    words = {"string": schema.get("format", "text"), "object": "object"}
    kind = str(schema.get("type", "anything"))
    return str(words.get(kind, kind))
