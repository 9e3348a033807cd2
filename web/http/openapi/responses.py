"""The answers of each call: its own, and the refusals that follow from what the call takes and needs."""

from collections.abc import Iterator
from typing import Any

from web.http.limits.requests import UNCOUNTED
from web.http.openapi.schemas import JSON, reference
from web.http.problems import MEDIA_TYPE, PROBLEM, example_problem
from web.http.rights import Need, Route

# Ids of what was deleted are known for ever.
OF_DELETED = frozenset(("job_uuid", "upload_uuid", "version", "other", "schedule_id", "webhook_id"))
RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer"}}}
REFUSALS = {
    "400": ("BadRequest", "The body is not valid JSON, or the server does not accept its host name"),
    "401": ("Unauthenticated", "A login is needed, or the token isn't valid, has expired, or was revoked"),
    "404": ("NotFound", "Nothing has this id"),
    "410": ("Gone", "It was deleted; its id is not used again"),
    "413": ("TooLarge", "The body is too large; the message states the limit"),
    "415": ("UnsupportedMediaType", "The body is not of the type application/json"),
    "422": ("Invalid", "A value is missing or wrong; `errors` has one entry for each"),
    "429": ("TooManyRequests", "Too many requests, or too much at the same time"),
    "503": ("Unavailable", "The server is too busy, or a part of it is not responding"),
    "507": ("InsufficientStorage", "A disk of the server is full"),
}


def describe_refusals() -> dict[str, Any]:
    """The refusals that many calls share, as components by name."""
    return {name: _refusal(status, sentence) for status, (name, sentence) in REFUSALS.items()}


def complete_responses(operation: dict[str, Any], route: Route) -> None:
    """Complete the responses of a call, in the order of their statuses."""
    given = operation["responses"]
    answer = next((one["content"] for status, one in given.items() if status < "300" and _has_schema(one)), None)
    completed = {}
    for status, response in given.items():
        completed[status] = _problem(status, response) if status >= "400" else _success(status, response, answer)
    for status in _list_refusals(operation, route):
        completed.setdefault(status, {"$ref": f"#/components/responses/{REFUSALS[status][0]}"})
    if route.need.right is not None:
        completed.setdefault("403", _refusal("403", describe_need(route.need)))
    if "304" in completed:
        _describe_etag(operation, completed["200"])
    operation["responses"] = dict(sorted(completed.items()))


def _list_refusals(operation: dict[str, Any], route: Route) -> Iterator[str]:
    body = operation.get("requestBody", {}).get("content", {})
    arguments = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
    yield "400"
    if JSON in body:
        yield "415"
    if route.need.right is not None:
        yield "401"
    if arguments:
        yield "404"
    if arguments & OF_DELETED:
        yield "410"
    if body:
        yield "413"
    if body or len(arguments) < len(operation["parameters"]):
        yield "422"
    if route.endpoint not in UNCOUNTED:
        yield from ("429", "503")
    if route.method != "GET":
        yield "507"


def _success(status: str, response: dict[str, Any], answer: dict[str, Any] | None) -> dict[str, Any]:
    """A status that a view names by a sentence alone has no body, unless it is the other one of 200 and 201."""
    if _has_schema(response):
        return response
    bare = {key: value for key, value in response.items() if key != "content"}
    return bare | {"content": answer} if answer and status in ("200", "201") else bare


def _problem(status: str, response: dict[str, Any]) -> dict[str, Any]:
    refusal = _refusal(status, response["description"])
    own = response.get("content", {})
    if JSON in own and own[JSON]["schema"] != reference("HTTPError"):
        refusal["content"] = own | refusal["content"]
    return refusal


def _refusal(status: str, sentence: str) -> dict[str, Any]:
    content = {"schema": reference(PROBLEM), "example": example_problem(int(status))}
    refusal = {"description": sentence, "content": {MEDIA_TYPE: content}}
    return refusal | {"headers": RETRY_AFTER} if status in ("429", "503") else refusal


def describe_need(need: Need) -> str:
    """Who may use a call, in a sentence without its end."""
    if need.right is None:
        return "No login is needed"
    whose = ", and `others` for what somebody else made" if need.own else ""
    return f"The right `{need.right}` is needed{whose}"


def _describe_etag(operation: dict[str, Any], answer: dict[str, Any]) -> None:
    """How to ask whether something has changed."""
    text = {"type": "string"}
    sentence = "The `ETag` of an earlier answer: 304 if nothing has changed since"
    operation["parameters"].append(
        {"name": "If-None-Match", "in": "header", "required": False, "description": sentence, "schema": text}
    )
    answer["headers"] = answer.get("headers", {}) | {"ETag": {"description": "Of this answer", "schema": text}}


def _has_schema(response: dict[str, Any]) -> bool:
    return any(one.get("schema") for one in response.get("content", {}).values())
