"""The description of the API: what generators of clients and people need, and nothing that is not so."""

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from pydantic import BaseModel

from tests.support.api_document import make_document

VERBS = (
    *("add", "cancel", "check", "claim", "compare", "complete", "count", "create", "delete", "end", "evaluate"),
    *("export", "get", "handOver", "import", "invite", "list", "pause", "preview", "promote", "put", "resume"),
    *("replay", "retry", "revoke", "rollBack", "rotate", "run", "send", "set", "stream", "undo", "update", "upload"),
    *("withdraw",),
)
BINARY = {"type": "string", "format": "binary"}
Document = dict[str, Any]


@pytest.fixture(scope="module")
def document() -> Document:
    return make_document()


def operations(document: Document) -> Iterator[tuple[str, Document]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def contents(document: Document) -> Iterator[tuple[str, Document]]:
    for call, operation in operations(document):
        for part in (operation.get("requestBody", {}), *operation["responses"].values()):
            for media_type, content in part.get("content", {}).items():
                yield f"{call} {media_type}", content


def test_it_is_valid(document: Document) -> None:
    validate(document)


def test_each_type_is_there_once(document: Document) -> None:
    names = document["components"]["schemas"]
    assert [name for name in names if "." in name or name[-1].isdigit()] == []
    assert "$defs" not in str(document)


def test_each_call_has_an_id_that_begins_with_a_verb(document: Document) -> None:
    ids = [operation["operationId"] for _, operation in operations(document)]
    assert len(ids) == len(set(ids))
    assert [one for one in ids if not one.startswith(VERBS) or "_" in one] == []


def test_each_tag_has_a_description(document: Document) -> None:
    assert {tag["name"] for tag in document["tags"] if not tag.get("description")} == set()
    assert {tag for _, operation in operations(document) for tag in operation["tags"]} <= {
        tag["name"] for tag in document["tags"]
    }


def test_every_body_and_answer_has_a_schema(document: Document) -> None:
    assert [what for what, content in contents(document) if not content.get("schema")] == []


def test_every_example_is_one(document: Document) -> None:
    wrong = []
    for what, content in contents(document):
        if what.endswith("json"):
            validator = Draft202012Validator(content["schema"] | {"components": document["components"]})
            wrong += [f"{what}: {error.message}" for error in validator.iter_errors(content["example"])]
    assert wrong == []


def models(base: type[BaseModel] = BaseModel) -> Iterator[type[BaseModel]]:
    for model in base.__subclasses__():
        yield model
        yield from models(model)


def test_every_example_of_a_body_is_accepted(document: Document) -> None:
    by_name = {model.__name__: model for model in models() if model.__module__.startswith("web.schemas")}
    for _, operation in operations(document):
        for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
            if media_type == "application/json":
                by_name[content["schema"]["$ref"].rpartition("/")[2]].model_validate(content["example"])


def test_a_login_and_a_right_are_described_wherever_they_are_needed(document: Document) -> None:
    for call, operation in operations(document):
        is_public = not call.partition(" ")[2].startswith("/api/")
        assert ("403" in operation["responses"]) != is_public, call
        assert (operation["security"] == []) == is_public, call


def test_files_are_described_as_such(document: Document) -> None:
    archive = document["paths"]["/api/v1/archives"]["post"]["requestBody"]["content"]
    assert archive["application/octet-stream"] == archive["application/x-tar"] == {"schema": BINARY}
    assert archive["multipart/form-data"]["schema"]["properties"] == {"file": BINARY}
    csv = document["paths"]["/api/v1/jobs/{job_uuid}/export.csv"]["get"]["responses"]["200"]
    assert csv["content"]["text/csv"]["schema"] == {"type": "string"}
    assert csv["headers"].keys() == {"Content-Disposition", "Pawsort-Origin", "Pawsort-Partial"}


def test_old_names_are_marked_as_such(document: Document) -> None:
    deprecated = {
        f"{name}.{field}"
        for name, schema in document["components"]["schemas"].items()
        for field, one in schema.get("properties", {}).items()
        if one.get("deprecated")
    }
    assert deprecated >= {"JobOut.model", "Counts.total", "RunOut.who", "DeploymentOut.who"}
