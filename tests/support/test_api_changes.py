"""The comparison of the API with that of the last release finds what breaks programs, and nothing else."""

from typing import Any

import pytest

from tests.support import api_changes
from tests.support.api_changes import list_breaks
from tests.support.api_document import make_document

Document = dict[str, Any]


@pytest.fixture(scope="module")
def document() -> Document:
    return make_document()


def test_nothing_breaks_programs_of_the_last_release(document: Document) -> None:
    assert list_breaks(api_changes.read_last(), document) == []


def change(document: Document, *keys: str, value: Any = None) -> Document:
    """A copy of the document with one part changed, or removed."""
    first, *others = keys
    copy = dict(document)
    if others:
        copy[first] = change(copy[first], *others, value=value)
    elif value is None:
        del copy[first]
    else:
        copy[first] = value
    return copy


CANCEL = ("paths", "/api/v1/jobs/{job_uuid}/cancel", "post")
TYPES = ("components", "schemas")


@pytest.mark.parametrize(
    ("keys", "value", "sentence"),
    [
        (CANCEL, None, "POST /api/v1/jobs/{job_uuid}/cancel was removed"),
        ((*CANCEL, "parameters"), [], "path parameter job_uuid was removed"),
        ((*CANCEL, "responses", "200"), None, "answer 200 was removed"),
        ((*CANCEL, "requestBody"), None, "body was removed"),
        ((*TYPES, "CancelIn", "required"), ["keep_best"], "body.keep_best is required now"),
        ((*TYPES, "CancelIn", "properties", "keep_best", "type"), "integer", "body.keep_best accepts no boolean"),
        ((*TYPES, "UploadIn", "properties", "name", "maxLength"), 10, "body.name has a tighter maxLength"),
        ((*TYPES, "PriorityName", "enum"), ["first"], "body.priority accepts fewer values"),
        ((*TYPES, "JobOut", "properties", "model"), None, "answer 200.model was removed"),
        ((*TYPES, "Counts", "properties", "total", "type"), "string", "answer 200.counts.total may be string now"),
        ((*TYPES, "JobOut", "required"), ["id"], "answer 200.name may be missing now"),
    ],
)
def test_a_change_that_breaks_programs_is_found(
    document: Document, keys: tuple[str, ...], value: Any, sentence: str
) -> None:
    found = list_breaks(document, change(document, *keys, value=value))
    assert any(sentence in one for one in found), found


def test_additions_break_nothing(document: Document) -> None:
    more = change(document, *TYPES, "JobOut", "properties", "colour", value={"type": "string"})
    states = [*document["components"]["schemas"]["JobState"]["enum"], "waiting"]
    more = change(more, *TYPES, "JobState", "enum", value=states)
    more = change(more, *TYPES, "UploadIn", "properties", "colour", value={"type": "string"})
    assert list_breaks(document, more) == []
