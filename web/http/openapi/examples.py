"""An example of each JSON body and answer, put together from its schema, and one value for each name of a field.

A schema with `examples` of its own keeps them: names with several meanings, and bodies of which only some fields go
together.
"""

from typing import Any

from web.http.openapi.schemas import JSON, name_of

UUID = "0f5c9a52-6b1e-4c1d-9c57-3f2b8a7d1e60"
MOMENT = "2026-11-30T09:30:00Z"
SHA256 = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
OF_NAMES: dict[str, Any] = {
    "accuracy": 0.981,
    "accuracy_in_use": 0.974,
    "address": "192.0.2.17",
    "bins": {"cat": [[731, 5]], "dog": [[998, 12]]},
    "by_class": {"cat": 2500, "dog": 2500},
    "by_label": {"cat": 612, "dog": 377, "unsure": 11},
    "by_part": {"training": 4000, "validation": 500, "judging": 500},
    "by_reason": {"a symbolic link": 31},
    "checks": {"database": "ok", "broker": "ok", "blobs": "ok", "inference_worker": "ok"},
    "confidence": 0.98,
    "cron": "0 3 * * SUN",
    "cursors": ["WzEwMF0"],
    "devices": {"inference": ["CPU"]},
    "digest": SHA256,
    "done": 1000,
    "expires_at": MOMENT,
    "failed": 0,
    "event": "job.done",
    "finished_at": MOMENT,
    "image_id": 1042,
    "images_per_s": 41.5,
    "in_words": "At 03:00, only on Sunday",
    "invited_by": "ada",
    "label": "cat",
    "link": "http://127.0.0.1:8000/invitation?code=…",
    "loss": 0.0512,
    "model": 7,
    "message": {"type": "job.done", "timestamp": MOMENT, "data": {"job": UUID}},
    "message_id": "msg_0f5c9a526b1e4c1d9c573f2b8a7d1e60",
    "n_images": 1000,
    "name": "photos",
    "p_label": 0.02,
    "p_value": 0.004,
    "path": "photos/garden/1.jpg",
    "place": [0, 1042],
    "probabilities": {"cat": 0.98, "dog": 0.01},
    "reason": "a symbolic link",
    "recipient": "ada@example.org",
    "rows": [[0, 12, 3], [40, 255, 31], [2, 18, 0]],
    "seconds": 93.5,
    "secret": "whsec_…",
    "sha256": SHA256,
    "started_at": MOMENT,
    "state": "done",
    "summary": "Version 7 is right on 98.1 %, version 3 on 97.4 % of the same 800 pictures",
    "tags": ["garden"],
    "threshold": 0.8,
    "time_zone": "Europe/Berlin",
    "token": "paw_…",
    "total": 1000,
    "upload": UUID,
    "url": "https://example.org/pawsort",
    "user": "ada",
    "val_accuracy": 0.979,
    "version": 7,
    "who": "ada",
}
OF_FORMATS = {"uuid": UUID, "date-time": MOMENT}
OF_TYPES = {"string": "…", "integer": 1, "number": 0.5, "boolean": False, "object": {}}
SHOWN_OPTIONAL = frozenset(("name", "recipient", "tags", "threshold"))  # of the fields that a body may leave out


def add_examples(spec: dict[str, Any]) -> None:
    """Give every JSON body and answer an example."""
    types = spec["components"]["schemas"]
    for operations in spec["paths"].values():
        for operation in operations.values():
            if JSON in (body := operation.get("requestBody", {}).get("content", {})):
                body[JSON]["example"] = _Examples(types, of_body=True).make(body[JSON]["schema"])
            for response in operation["responses"].values():
                if JSON in (content := response.get("content", {})):
                    content[JSON]["example"] = _Examples(types, of_body=False).make(content[JSON]["schema"])


class _Examples:
    def __init__(self, types: dict[str, Any], of_body: bool) -> None:
        self._types = types
        self._of_body = of_body

    def make(self, schema: dict[str, Any], name: str = "") -> Any:
        """An example of what the field `name` holds."""
        if "examples" in schema:
            return schema["examples"][0]
        if "$ref" in schema:
            return self.make(self._types[name_of(schema["$ref"])], name)
        if "anyOf" in schema:
            return self._one_of(schema["anyOf"], name)
        if "enum" in schema:
            return OF_NAMES[name] if OF_NAMES.get(name) in schema["enum"] else schema["enum"][0]
        if name in OF_NAMES:
            return OF_NAMES[name]
        if schema.get("default") is not None:
            return schema["default"]
        if "properties" in schema:
            return self._object(schema)
        if schema.get("type") == "array":
            return [self.make(schema["items"])] * schema.get("minItems", 1)
        return schema.get("const", OF_FORMATS.get(schema.get("format", ""), OF_TYPES.get(schema.get("type", ""))))

    def _one_of(self, schemas: list[dict[str, Any]], name: str) -> Any:
        if {"type": "null"} in schemas and name not in OF_NAMES:
            return None
        return self.make(schemas[0], name)

    def _object(self, schema: dict[str, Any]) -> dict[str, Any]:
        shown = schema["properties"]
        if self._of_body:
            needed = SHOWN_OPTIONAL.union(schema.get("required", ()))
            shown = {name: field for name, field in shown.items() if name in needed}
        return {name: self.make(field, name) for name, field in shown.items()}
