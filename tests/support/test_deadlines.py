"""That the one function for deadlines is the one that is used."""

import re

from tests.support.deadlines import overload, within, within_ms
from tests.support.paths import ROOT

FOLDERS = ("browser", "core", "deploy", "faults", "instance", "integration", "model", "web", "worker")
BARE = re.compile(r"timeout=\d|_timeout\(\d|\.wait\(\d|monotonic\(\) \+ (?!within)")


def test_a_deadline_is_never_shorter_than_on_a_quiet_machine() -> None:
    assert overload() >= 1
    assert within(3) >= 3
    assert within_ms(3000) >= 3000


def test_no_deadline_is_a_bare_number() -> None:
    files = [file for folder in FOLDERS for file in sorted((ROOT / "tests" / folder).rglob("test_*.py"))]
    lines = [(file.name, line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    assert lines
    assert [(name, line) for name, line in lines if BARE.search(line)] == []
