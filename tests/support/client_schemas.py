"""The types of the HTTP interface for the client, from its description.

`python -m tests.support.client_schemas` writes them after the interface has changed (`make client`).
"""

import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

from tests.support.api_document import make_document
from tests.support.paths import ROOT

HEAD = '''\
"""The types of the HTTP interface: dataclasses that it answers with, and the fields of what is sent to it.

Made from the OpenAPI document by `make client`. Do not edit.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Required, TypeAlias, TypedDict

from pawsort.answer import Answer
from pawsort.display import job_as_html
'''
TARGET = ROOT / "client/pawsort/schemas.py"
PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
WIDTH = 116
OLD_NAME = "The older name of"
# Schemas whose name says little outside the server.
NAMES = {
    "Action": "AuditAction",
    "BatchIn": "LabelBatchInput",
    "BatchOut": "LabelBatch",
    "ChangeOut": "LabelChange",
    "EpochList": "Epochs",
    "FiguresOut": "Metrics",
    "HeatOut": "HeatMap",
    "HistoryOut": "LabelRecord",
    "JudgementOut": "Prediction",
    "LabelsOut": "LabelOutcome",
    "Limits": "UploadLimits",
    "By": "LabelPreference",
    "JudgementSort": "PredictionSort",
    "Outcome": "AuditOutcome",
    "PauseOut": "PauseState",
    "PictureOut": "ReviewPicture",
    "ProgressOut": "ReviewProgress",
    "RetryOut": "RetriedJobs",
    "ReviewOut": "ReviewPictures",
    "RunOut": "ScheduleRun",
    "Skipped": "SkippedEntry",
    "SkippedOut": "SkippedEntries",
    "StudyOut": "LabelQuality",
    "Tree": "FolderTree",
    "WayIn": "WayIn",
}
# Methods by class.
METHODS = {
    "Job": """
    def _repr_html_(self) -> str:
        return job_as_html(self)
"""
}
Schema = dict[str, Any]


class Module:
    """The module to be written."""

    def __init__(self, document: Schema) -> None:
        self._schemas: dict[str, Schema] = document["components"]["schemas"]
        self._sent, self._answered = set[str](), set[str]()
        for operation in (one for path in document["paths"].values() for one in path.values()):
            self._add(operation.get("requestBody", {}), self._sent)
            for parameter in operation.get("parameters", []):
                self._sent |= set(_references(parameter.get("schema", {})))
            for status, response in operation["responses"].items():
                if status.startswith("2"):
                    self._add(response, self._answered)

    def _add(self, place: Schema, names: set[str]) -> None:
        """Collect the schemas that a body refers to, and those that they refer to."""
        schema = place.get("content", {}).get("application/json", {}).get("schema", {})
        for name in _references(schema):
            if name not in names:
                names.add(name)
                self._add({"content": {"application/json": {"schema": self._schemas[name]}}}, names)

    def __str__(self) -> str:
        names = sorted(self._answered | self._sent)
        aliases = "".join(self._alias(name) for name in names if not self._is_object(name))
        answers = [self._dataclass(name) for name in self._in_order(self._answered) if not self._is_page(name)]
        inputs = [self._typed_dict(name) for name in self._in_order(self._sent)]
        return "\n\n".join([HEAD + "\n" + aliases, *answers, *inputs])

    def _alias(self, name: str) -> str:
        return f"{_class_name(name)}: TypeAlias = {self._type(self._schemas[name])}\n"

    def _in_order(self, names: set[str]) -> list[str]:
        """Each object after those that it refers to."""
        ordered: list[str] = []

        def visit(name: str) -> None:
            for other in sorted(set(_references(self._schemas[name])) & names - {name}):
                visit(other)
            if name not in ordered and self._is_object(name):
                ordered.append(name)

        for name in sorted(names):
            visit(name)
        return ordered

    def _is_object(self, name: str) -> bool:
        return "properties" in self._schemas[name]

    def _is_page(self, name: str) -> bool:
        """Whether it is a page of a list: its items are read one by one."""
        return set(self._schemas[name].get("properties", {})) in ({"items"}, {"items", "next"})

    def _dataclass(self, name: str) -> str:
        lines = ["@dataclass(slots=True)", f"class {_class_name(name)}(Answer):", *self._docstring(name)]
        lines += [f"    {field}: {self._type(schema)}" for field, schema in self._fields(name)]
        return "\n".join(lines) + "\n" + METHODS.get(_class_name(name), "")

    def _typed_dict(self, name: str) -> str:
        required = self._schemas[name].get("required", [])
        lines = [f"class {_class_name(name)}(TypedDict, total=False):", *self._docstring(name)]
        for field, schema in self._fields(name):
            kind = self._type(schema)
            lines.append(f"    {field}: {f'Required[{kind}]' if field in required else kind}")
        return "\n".join(lines) + "\n"

    def _fields(self, name: str) -> Iterator[tuple[str, Schema]]:
        """The fields without those that only programs of before need."""
        for field, schema in self._schemas[name]["properties"].items():
            if not schema.get("description", "").startswith(OLD_NAME):
                yield field, schema

    def _docstring(self, name: str) -> list[str]:
        text = " ".join(self._schemas[name].get("description", "").split())
        described = [(field, one["description"]) for field, one in self._fields(name) if one.get("description")]
        if not text and not described:
            return []
        lines = textwrap.wrap(text or f"Fields of a {_class_name(name)}.", WIDTH - 3)
        if described:
            lines += ["", "Attributes:"]
            for field, description in described:
                text = f"{field}: {' '.join(description.split())}."
                lines += textwrap.wrap(text, WIDTH, initial_indent="    ", subsequent_indent="        ")
        quoted = ['"""' + lines[0], *lines[1:]]
        closing = ['"""'] if len(lines) > 1 else []
        if not closing:
            quoted[-1] += '"""'
        raw = ["    " + line if line else "" for line in quoted + closing]
        return [*raw, ""]

    def _type(self, schema: Schema) -> str:
        if "$ref" in schema:
            return _class_name(schema["$ref"].rpartition("/")[2])
        if "const" in schema:
            return f"Literal[{_quoted(schema['const'])}]"
        if "enum" in schema:
            values = [one for one in schema["enum"] if one is not None]
            known = f"Literal[{', '.join(map(_quoted, values))}]"
            return f"{known} | None" if None in schema["enum"] else known
        for choice in ("anyOf", "oneOf", "allOf"):
            if choice in schema:
                kinds = list(dict.fromkeys(self._type(one) for one in schema[choice]))
                return " | ".join(sorted(kinds, key=lambda kind: kind == "None"))
        kind = schema.get("type")
        if isinstance(kind, list):
            return " | ".join(self._type({**schema, "type": one}) for one in kind)
        if kind == "array":
            return f"list[{self._item_type(schema)}]"
        if kind == "object":
            values = schema.get("additionalProperties")
            return f"dict[str, {self._type(values) if isinstance(values, dict) and values else 'Any'}]"
        if kind == "string" and schema.get("format") == "date-time":
            return "datetime"
        return PLAIN.get(str(kind), "Any")

    def _item_type(self, schema: Schema) -> str:
        items = schema.get("prefixItems") or [schema.get("items", {})]
        return " | ".join(dict.fromkeys(self._type(one) for one in items))


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield schema["$ref"].rpartition("/")[2]
        for value in schema.values():
            yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)


def _class_name(name: str) -> str:
    """The schema's name without the server's endings: JobOut is a Job, JobIn its input."""
    for ending, own in (("Out", ""), ("In", "Input"), ("Patch", "Changes")):
        if name.endswith(ending):
            return NAMES.get(name, name.removesuffix(ending) + own)
    return NAMES.get(name, name)


def _quoted(value: object) -> str:
    return json.dumps(value) if isinstance(value, str) else repr(value)


def generate(document: Schema) -> str:
    """Return the text of the module."""
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(TARGET), "-"]
    return subprocess.run(command, input=str(Module(document)), capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    TARGET.write_text(generate(make_document()), encoding="utf-8")
