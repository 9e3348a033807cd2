"""Operations as values: what they describe, without a server."""

import re
from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

from pawsort.api.calls import Call
from pawsort.api.transport import Transport
from pawsort.operations.labels import MOST, Labels
from pawsort.operations.pictures import Picture
from pawsort.schemas import LabelOutcome, Relabelling
from tests.support.api_document import make_document
from tests.support.client_schemas import TARGET, generate
from tests.support.paths import ROOT

CALL = re.compile(r'(?:Call\(\w+, "([A-Z]+)"|(?:pages|Subscription)\(\w+), f?"([^"]+)"', re.DOTALL)
OPERATIONS = ROOT / "client/pawsort/operations"
ADDRESS = re.compile(r'(?:Call|page|pages|Subscription)\([^)]*?f?"/', re.DOTALL)
# A form for archives, and the state of the server.
NOT_OFFERED = {("POST", "/archives"), ("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/metrics")}


def offered() -> set[tuple[str, str]]:
    """Methods and paths of all operations, each argument as {}."""
    found = set()
    for file in OPERATIONS.glob("*.py"):
        text = re.sub(r"\s*\n\s*", " ", file.read_text(encoding="utf-8")).replace("( ", "(")
        text = re.sub(r'path = (f"[^"]+")(.*?), path,', r"\2, \1,", text)
        found |= {(method or "GET", re.sub(r"{[^}]*}", "{}", path)) for method, path in CALL.findall(text)}
    return found


def test_every_call_of_the_interface_is_an_operation_and_every_operation_a_call() -> None:
    document = make_document()
    calls = {
        (method.upper(), re.sub(r"{[^}]*}", "{}", path.removeprefix("/api/v1")))
        for path, operations in document["paths"].items()
        for method in operations
    }
    exports = {call for call in calls if re.search(r"/(export\.\w+|report\.html)$|^/audit-log\.", call[1])}
    found = offered()
    assert {("GET", "/jobs/{}/{}"), ("GET", "/audit-log{}")} <= found
    assert calls - exports - NOT_OFFERED - found == set()
    assert generate(document) == TARGET.read_text(encoding="utf-8"), "run `make client`"


def test_addresses_are_written_in_operations_alone() -> None:
    files = set((ROOT / "client/pawsort").rglob("*.py"))
    assert {file.parent for file in files if ADDRESS.search(file.read_text(encoding="utf-8"))} == {OPERATIONS}


def run(work: Any, answer: Callable[[Call[Any]], object]) -> Any:
    """Perform a workflow of calls alone."""
    try:
        call = next(work)
        while True:
            call = work.send(answer(call))
    except StopIteration as end:
        return end.value


def test_many_labels_are_sent_in_several_requests_each_label_with_a_key_of_its_own() -> None:
    sent: list[Any] = []

    def answer(call: Call[Any]) -> LabelOutcome:
        sent.append(call.json)
        return LabelOutcome(len(sent[-1]["items"]), [], 0, [Relabelling(None, "cat", 2)])

    transport = Mock(spec=Transport, run=lambda work: run(work, answer))
    outcome = Labels(transport).add({"image_id": n, "label": "cat"} for n in range(MOST + 1))
    assert outcome == LabelOutcome(MOST + 1, [], 0, [Relabelling(None, "cat", 4)])
    assert [len(body["items"]) for body in sent] == [MOST, 1]
    assert len({item["key"] for body in sent for item in body["items"]}) == MOST + 1


def test_a_picture_shows_itself_as_what_it_is() -> None:
    png = Picture(b"\x89PNG\r\n\x1a\nrest")
    assert (png._repr_png_(), png._repr_jpeg_()) == (png.data, None)
    assert repr(Picture(b"\xff\xd8\xff...")) == "Picture(6 bytes)"
