"""What breaks programs that were written for the last release: `python -m tests.support.api_changes`, in `make lint`.

docs/reference/openapi-<version>.json is the description of each release (`--keep` writes it). What it says wrongly of
what that release does is corrected in it. Compared with it

    a call       may be new; stays, with its statuses of success and the media types of bodies and answers
    a parameter  may be new if it is optional; stays, and accepts what it accepted
    a body       may get optional fields and more values; accepts what it accepted
    an answer    may get fields, values of an enum and statuses of errors; keeps its fields and the types of values,
                 but for what is `ACCEPTED`
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

from tests.support.api_document import make_document
from tests.support.paths import ROOT

FOLDER = ROOT / "docs" / "reference"
ANY = "any"
OCTETS = "application/octet-stream"
LIMITS = {"maximum": 1, "maxLength": 1, "maxItems": 1, "minimum": -1, "minLength": -1, "minItems": -1}
JSON_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number"}
Schema = dict[str, Any]
# Batches of the kind `list` have no job. The last release has none of them, so its programs do not meet one.
_BATCHES = ("POST /api/v1/jobs/{job_uuid}/labels", "GET /api/v1/label-batches/{batch_uuid}")
_UNDO = "POST /api/v1/label-batches/{batch_uuid}/undo"
ACCEPTED = frozenset(f"{call}: answer 200.job may be null now" for call in (*_BATCHES, _UNDO))


def list_breaks(old: Schema, new: Schema) -> list[str]:
    """One sentence for each change that breaks a program."""
    found = dict.fromkeys(_compare_documents(old, new))
    return [sentence for sentence in found if sentence not in ACCEPTED]


def _compare_documents(old: Schema, new: Schema) -> Iterator[str]:
    comparison = _Comparison(old, new)
    for path, operations in old["paths"].items():
        for method, before in operations.items():
            call, after = f"{method.upper()} {path}", new["paths"].get(path, {}).get(method)
            if after is None:
                yield f"{call} was removed"
            else:
                yield from (f"{call}: {sentence}" for sentence in comparison.of_calls(before, after))


class _Comparison:
    def __init__(self, old: Schema, new: Schema) -> None:
        self._old, self._new = old, new

    def of_calls(self, before: Schema, after: Schema) -> Iterator[str]:
        known, offered = _parameters(before), _parameters(after)
        for key, parameter in offered.items():
            if parameter["required"] and not known.get(key, {}).get("required"):
                yield f"{key} is required now"
        for key, parameter in known.items():
            if key not in offered:
                yield f"{key} was removed"
            else:
                yield from self._of_inputs(parameter["schema"], offered[key]["schema"], key)
        yield from self._of_contents(before.get("requestBody"), after.get("requestBody"), "body")
        for status, response in before["responses"].items():
            if status < "300":
                yield from self._of_contents(response, after["responses"].get(status), f"answer {status}")

    def _of_contents(self, before: Schema | None, after: Schema | None, what: str) -> Iterator[str]:
        if before is None:
            return
        if after is None:
            yield f"{what} was removed"
            return
        compare = self._of_inputs if what == "body" else self._of_outputs
        for media_type, content in before.get("content", {}).items():
            if "schema" in content and not content["schema"]:
                continue  # nothing was said about it: an answer without a body
            if what == "body" and OCTETS in after.get("content", {}) and media_type not in after["content"]:
                continue  # a file, whatever type it is sent as
            if media_type not in after.get("content", {}):
                yield f"{what} as {media_type} was removed"
            elif "schema" in content:
                yield from compare(content["schema"], after["content"][media_type]["schema"], what)

    def _of_inputs(self, before: Schema, after: Schema, what: str) -> Iterator[str]:
        known, offered = _by_type(self._old, before), _by_type(self._new, after)
        for kind, schema in known.items():
            wider = offered.get(kind) or offered.get(ANY) or (offered.get("number") if kind == "integer" else None)
            if wider is None:
                yield f"{what} accepts no {kind} any more"
                continue
            if "enum" in wider and not set(schema.get("enum", [ANY])) <= set(wider["enum"]):
                yield f"{what} accepts fewer values"
            for name, sign in LIMITS.items():
                if name in wider and (name not in schema or sign * wider[name] < sign * schema[name]):
                    yield f"{what} has a tighter {name}"
            for name in sorted(set(wider.get("required", ())) - set(schema.get("required", ()))):
                yield f"{what}.{name} is required now"
            yield from self._of_parts(schema, wider, what, self._of_inputs)

    def _of_outputs(self, before: Schema, after: Schema, what: str) -> Iterator[str]:
        known, offered = _by_type(self._old, before), _by_type(self._new, after)
        for kind, schema in offered.items():
            wider = known.get(kind) or known.get(ANY) or (known.get("number") if kind == "integer" else None)
            if wider is None:
                yield f"{what} may be {kind} now"
                continue
            for name in sorted(set(wider.get("required", ())) - set(schema.get("required", ()))):
                yield f"{what}.{name} may be missing now"
            yield from self._of_parts(wider, schema, what, self._of_outputs)

    def _of_parts(self, before: Schema, after: Schema, what: str, compare: Any) -> Iterator[str]:
        for name, schema in before.get("properties", {}).items():
            if name in after.get("properties", {}):
                yield from compare(schema, after["properties"][name], f"{what}.{name}")
            else:
                yield f"{what}.{name} was removed"
        if "items" in before and "items" in after:
            yield from compare(before["items"], after["items"], f"{what}[]")


def _parameters(operation: Schema) -> dict[str, Schema]:
    return {f"{one['in']} parameter {one['name']}": one for one in operation["parameters"]}


def _by_type(document: Schema, schema: Schema) -> dict[str, Schema]:
    """The alternatives of a schema, behind references, by their JSON types."""
    if "$ref" in schema:
        return _by_type(document, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        return {kind: one for part in schema["anyOf"] for kind, one in _by_type(document, part).items()}
    if "const" in schema:
        schema = schema | {"enum": [schema["const"]]}
    kinds = schema.get("type") or [JSON_TYPES[type(one)] for one in schema.get("enum", ())] or ANY
    return dict.fromkeys([kinds] if isinstance(kinds, str) else kinds, schema)


def main() -> int:
    """Print what breaks programs, or keep the description as that of a release."""
    new = make_document()
    if "--keep" in sys.argv:
        path = FOLDER / f"openapi-{new['info']['version']}.json"
        path.write_text(json.dumps(new, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return 0
    breaks = list_breaks(read_last(), new)
    for sentence in breaks:
        print(sentence)
    return 1 if breaks else 0


def read_last() -> Schema:
    """The description of the last release."""
    newest = max(FOLDER.glob("openapi-*.json"), key=lambda path: [int(part) for part in path.stem[8:].split(".")])
    document: Schema = json.loads(newest.read_text(encoding="utf-8"))
    return document


if __name__ == "__main__":
    sys.exit(main())
